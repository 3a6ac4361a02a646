import { fighters } from '#drift/contested.ts'
import { byTier, statesBySeverity } from '#drift/severity.ts'
import { asFailure, type FailureJson } from '#lib/failure.ts'
import type { FindingView } from '#model/api/drift-views.ts'
import { findingCauses, findingStates, type Finding, type FindingState, type Source } from '#model/finding.ts'
import { findAdoption } from '#store/adoptions.ts'
import { changesOfFinding, environmentsWithFindings, worstFindings } from '#store/findings.ts'
import type { Sql } from '#store/sql.ts'
import { watches, type WatchRow } from '#store/watches.ts'
import { viewAdoption } from '../adopt/view.ts'
import type { Parts } from '../parts.ts'
import { newestConfiguration } from './targets.ts'

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

export type Asked = { readonly environment: string | undefined; readonly module: string | undefined; readonly resolved: 'with' | 'without'; readonly limit: number }

/** What waits for somebody to decide. */
const waiting: readonly FindingState[] = ['open', 'contested']

/**
 * The findings that a person has to know of, the most serious first, and how many more there are. Where the configuration cannot be read, they are those of all
 * environments in which something was found, and `failure` says so.
 */
export async function viewFindings(parts: Pick<Parts, 'sql' | 'configurations'>, { resolved, environment, module, limit }: Asked, sees: (environment: string) => boolean) {
  const { sql } = parts
  let failure: FailureJson | null = null
  const configuration = await newestConfiguration(parts as Parts).catch((error: unknown) => void (failure = asFailure(error, 'configuration').toJSON()))
  const tiers = new Map([...(configuration?.environments ?? [])].map(([name, { spec }]) => [name, spec.tier]))
  const environments = byTier(configuration === undefined ? await environmentsWithFindings(sql) : [...tiers.keys()], (name) => tiers.get(name) ?? 'production').filter(sees)
  const states: readonly FindingState[] = resolved === 'with' ? findingStates : findingStates.filter((state) => state !== 'resolved')
  const filter = { environments, states, limit, ...(environment === undefined ? {} : { environment }), ...(module === undefined ? {} : { module }) }
  const found = await worstFindings(sql, filter, { states: statesBySeverity, environments, causes: findingCauses }, waiting)
  return { findings: found.findings.map(viewFinding), more: found.total - found.findings.length, waiting: found.counted, failure }
}

export async function viewHistory(sql: Sql, finding: Finding) {
  const [changes, adoption] = [await changesOfFinding(sql, finding.id, 100), await findAdoption(sql, finding.id)]
  return { finding: viewFinding(finding), adoption: adoption === undefined ? null : viewAdoption(adoption), history: changes.map(({ at, what, actor, reason }) => ({ at: iso(at), what, actor, reason })) }
}

/** How every watch stands. What no process holds is not watched, whatever it says of itself. */
export async function viewWatches(sql: Sql, now: number) {
  return (await watches(sql, now)).map(({ isHeld, since, listedAt, ...row }: WatchRow & { isHeld: boolean }) => ({ ...row, state: isHeld ? row.state : ('unwatched' as const), since: iso(since), listedAt: isoOrNull(listedAt) }))
}
