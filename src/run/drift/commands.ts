import { Failure } from '#lib/failure.ts'
import type { Finding } from '#model/finding.ts'
import type { Principal } from '#model/principal.ts'
import { addFindingChanges, findingsNamed, lockFinding, saveFindings } from '#store/findings.ts'
import { enqueue } from '#store/queue.ts'
import { withdrawAdoption } from '../adopt/withdraw.ts'
import type { Parts } from '../parts.ts'

/** A finding by its id, or the end of its id, among those of environments that the caller `sees`. Failures `finding-unknown`, `finding-ambiguous`. */
export async function findingNamed(parts: Pick<Parts, 'sql'>, name: string, sees: (environment: string) => boolean): Promise<Finding> {
  const all = (await findingsNamed(parts.sql, name)).filter((one) => sees(one.environment))
  const found = all.filter(({ id }) => id === name)
  const [finding, second] = found.length > 0 ? found : all
  if (second !== undefined)
    throw new Failure({ code: 'finding-ambiguous', subject: `finding ${name}`, message: `${all.length} findings end so: ${all.slice(0, 5).map(({ id }) => id).join(', ')}`, hint: 'Give more of the id.' })
  if (finding !== undefined) return finding
  throw new Failure({ code: 'finding-unknown', subject: `finding ${name}`, message: 'there is no such finding', hint: 'List them: plumb drift' })
}

const longest = 366 * 86_400_000

/** A person says why a drift may stay as it is now, and until when; what is on its way back to Git is withdrawn. Failures `finding-resolved`, `finding-under-way`, `acceptance-invalid`. */
export async function acceptFinding(parts: Parts, id: string, principal: Principal, reason: string, until: number): Promise<void> {
  const { sql, clock } = parts
  const now = clock.now()
  if (until <= now || until > now + longest)
    throw new Failure({ code: 'acceptance-invalid', subject: `finding ${id}`, message: 'an acceptance ends within a year, and not before it begins', hint: 'Give a time to come: --until 2d, or --until 2027-01-31T12:00:00Z' })
  await sql.transaction(async (tx) => {
    const finding = await lockFinding(tx, id)
    expectStanding(finding, id)
    await withdrawAdoption(tx, finding, { by: principal.name, instead: 'accepted' }, now)
    const accepted: Finding = { ...finding, state: 'accepted', accepted: { by: principal.name, reason, until }, updatedAt: now }
    await saveFindings(tx, [accepted], now)
    await addFindingChanges(tx, [{ finding: id, environment: finding.environment, at: now, what: 'accepted', actor: principal.name, reason, body: accepted }])
    await enqueue(tx, clock, `drift/${finding.environment}`)
  })
}

/** Something can be decided on it: also where it is on its way back to Git, which waits for a person, and may be for nothing. */
export function expectStanding(finding: Finding | undefined, id: string): asserts finding is Finding {
  if (finding === undefined || finding.state === 'resolved')
    throw new Failure({ code: 'finding-resolved', subject: `finding ${id}`, message: finding?.decision === 'ignore' ? 'the policy ignores it: nothing is decided on it' : 'it is resolved: reality is as declared', hint: `See what became of it: plumb drift show ${id}` })
  if (finding.state === 'reverting')
    throw new Failure({ code: 'finding-under-way', subject: `finding ${id}`, message: `it is reverting by ${finding.run}`, hint: `plumb show ${finding.run} tells how far it is: approve it if it waits, or plumb cancel ${finding.run} --reason WHY.`, retry: 'later' })
}
