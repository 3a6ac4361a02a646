import type { Folded } from '#drift/fold.ts'
import type { Restored } from '#drift/restored.ts'
import type { Finding } from '#model/finding.ts'
import { adoptionsOf } from '#store/adoptions.ts'
import { findRun } from '#store/runs.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { Sql } from '#store/sql.ts'
import { statuses } from '#store/statuses.ts'
import { settleAdoption, type DeliveredBy } from '../adopt/settle.ts'
import { madeBy } from './audit.ts'

/** Why each finding became what it is now, in words, by its id. With what is over its way back to Git is over, too. */
export async function reasonsOf(tx: Sql, folded: readonly Folded[], now: number): Promise<Map<string, string>> {
  const over = folded.filter(({ finding }) => finding.state === 'resolved').map(({ finding }) => finding.id)
  const adoptions = new Map((await adoptionsOf(tx, over)).map((one) => [one.finding, one]))
  const reasons = new Map<string, string>()
  for (const { finding, happened, restored } of folded) {
    const by = restored === undefined || !('git' in restored) ? undefined : await deliveredBy(tx, finding, restored.run)
    const adoption = adoptions.get(finding.id)
    const settled = adoption === undefined ? '' : await settleAdoption(tx, finding, adoption, isAsFound(finding, restored) ? by : undefined, now)
    const why = happened === 'attributed' ? madeBy(finding) : restored === undefined ? finding.message : whyRestored(finding, restored, by, adoption?.repository ?? finding.source?.repository)
    reasons.set(finding.id, `${why}${settled}`)
  }
  return reasons
}

/** Git says what was found: that a field is declared no more says nothing of its value. */
function isAsFound({ cause }: Finding, restored: Restored | undefined): boolean {
  return restored !== undefined && 'git' in restored && (restored.git === 'declares') === (cause !== 'missing')
}

async function deliveredBy(tx: Sql, { environment, module }: Finding, held: string | null): Promise<DeliveredBy> {
  const run = held ?? (await statuses(tx, environment, module))[0]?.run ?? null
  const snapshot = run === null ? undefined : (await findRun(tx, run))?.snapshot
  return { run, commits: snapshot === undefined ? {} : ((await findSnapshot(tx, snapshot))?.commits ?? {}) }
}

function whyRestored(finding: Finding, restored: Restored, by: DeliveredBy | undefined, repository: string | undefined): string {
  if ('git' in restored) {
    const commit = by?.commits[repository ?? '']
    const delivery = by === undefined || by.run === null ? '' : `: delivered by ${by.run}${commit === undefined ? '' : ` (${repository} at ${commit.slice(0, 8)})`}`
    return `Git declares it ${restored.git === 'declares' ? 'by now' : 'no more'}${delivery}`
  }
  if ('leftTo' in restored) return `${restored.leftTo} rightly moves it from now on`
  if ('as' in restored) {
    const who = restored.by === null ? '' : `, by ${restored.by}`
    return restored.finding === null ? `it is not as declared, and the policy ignores what is ${restored.as}${who}` : `it is not as declared, and goes on as ${restored.finding}: ${restored.as}${who}`
  }
  const restorer = finding.turns.at(-1)?.by ?? 'unknown'
  return `it is as declared again${restorer === 'unknown' ? '' : `, by ${restorer}`}`
}
