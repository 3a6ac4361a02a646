import { fighters } from '#drift/contested.ts'
import type { Tier } from '#drift/decide.ts'
import { bySeverity } from '#drift/severity.ts'
import type { FindingView } from '#model/api/drift-views.ts'
import { findingStates, type Finding, type FindingState, type Source } from '#model/finding.ts'
import { changesOfFinding, listFindings } from '#store/findings.ts'
import type { Sql } from '#store/sql.ts'
import { watches, type WatchRow } from '#store/watches.ts'

const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))

export function viewFinding(finding: Finding): FindingView {
  const { id, environment, module, target, object, cause, manager, person, count, state, decision, message, source, accepted, run, failure } = finding
  const fields = finding.fields.map((field) => ({ ...field }))
  return {
    id, environment, module, target, object, cause, fields, manager, person, onset: isoOrNull(finding.onset), seenAt: iso(finding.seenAt), updatedAt: iso(finding.updatedAt),
    count, state, decision, message,
    source: viewSource(source),
    accepted: accepted === null ? null : { ...accepted, until: iso(accepted.until) },
    contested: state === 'contested' ? [...(fighters(finding.turns) ?? [])] : [],
    run, failure, resolvedAt: isoOrNull(finding.resolvedAt),
  }
}

function viewSource(source: Source | null): FindingView['source'] {
  return source === null ? null : { ...source, commit: source.commit === null ? null : { ...source.commit, at: iso(source.commit.at) } }
}

export type Asked = { readonly environments?: readonly string[]; readonly environment?: string; readonly module?: string; readonly resolved: 'with' | 'without'; readonly limit: number }

/** The findings that a person has to know of, the most serious first. */
export async function viewFindings(sql: Sql, { resolved, ...asked }: Asked, tierOf: (environment: string) => Tier): Promise<FindingView[]> {
  const states: readonly FindingState[] = resolved === 'with' ? findingStates : findingStates.filter((state) => state !== 'resolved')
  return (await listFindings(sql, { ...asked, states })).sort(bySeverity(tierOf)).map(viewFinding)
}

export async function viewHistory(sql: Sql, finding: Finding) {
  const changes = await changesOfFinding(sql, finding.id, 100)
  return { finding: viewFinding(finding), history: changes.map(({ at, what, actor, reason }) => ({ at: iso(at), what, actor, reason })) }
}

/** How every watch stands. What no process holds is not watched, whatever it says of itself. */
export async function viewWatches(sql: Sql, now: number) {
  return (await watches(sql, now)).map(({ isHeld, since, listedAt, ...row }: WatchRow & { isHeld: boolean }) => ({ ...row, state: isHeld ? row.state : ('unwatched' as const), since: iso(since), listedAt: isoOrNull(listedAt) }))
}
