import type { Verification } from '#model/run.ts'
import type { RecordStatement } from '#record/statement.ts'
import { mergeMoments, momentsOfAll, standingAfter } from '#record/timeline.ts'
import type { Moment } from '#record/timeline.ts'
import { pausesBetween } from '#store/pauses.ts'
import { chains, recordsBetween } from '#store/records.ts'
import { approvalsOf, openRuns, runEnvironments } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import type { Parts } from './parts.ts'
import { iso } from './views.ts'

export type AskTimeline = { readonly environment?: string | undefined; readonly module?: string | undefined; readonly since: number; readonly until: number }

export type Timeline = {
  readonly since: number
  readonly until: number
  readonly standing: readonly { environment: string; module: string; verdict: Verification }[]
  readonly moments: readonly Moment[]
  readonly whole: boolean
}

/** Of more records than these only the newest are told. */
const mostRecords = 2_000
/** So far back, and in so many records, it is looked up how things stood when the time begins. */
const beforeThat = { ms: 30 * 86_400_000, records: 500 }

/** What happened between two times, from the records, and from what is in none yet: runs that are under way, pauses. */
export async function timeline({ sql }: Pick<Parts, 'sql'>, ask: AskTimeline, sees: (environment: string) => boolean): Promise<Timeline> {
  const { since, until, module = null } = ask
  const known = new Set([...(await chains(sql)), ...(await runEnvironments(sql))])
  const environments = [...known].filter((name) => sees(name) && (ask.environment === undefined || name === ask.environment)).sort()
  const read = async (from: number, to: number, limit: number): Promise<RecordStatement[]> =>
    (await recordsBetween(sql, { environments, module, from, to, limit })).map(({ text }) => JSON.parse(text) as RecordStatement).reverse()
  const recorded = await read(since, until, mostRecords)
  const isMine = (moment: Moment): boolean => module === null || moment.modules.length === 0 || moment.modules.includes(module)
  // A commit is told with the run that delivered it, whenever it was made.
  const isThen = (moment: Moment): boolean => moment.at <= until && (moment.at >= since || moment.kind === 'change')
  const open = await openMoments(sql, environments, since, until)
  const standing = standingAfter(momentsOfAll(await read(since - beforeThat.ms, since - 1, beforeThat.records)).filter((moment) => moment.at < since))
  return {
    since,
    until,
    standing: [...standing].map(([key, verdict]) => ({ environment: key.slice(0, key.indexOf(' ')), module: key.slice(key.indexOf(' ') + 1), verdict })).filter((one) => module === null || one.module === module),
    moments: mergeMoments([...momentsOfAll(recorded, standing), ...open].filter((moment) => isThen(moment) && isMine(moment)).map((moment) => (module === null || moment.modules.length === 0 ? moment : { ...moment, modules: [module] }))),
    whole: recorded.length < mostRecords,
  }
}

/** What no record tells yet. */
async function openMoments(sql: Sql, environments: readonly string[], since: number, until: number): Promise<Moment[]> {
  const runs = (await openRuns(sql)).filter((run) => environments.includes(run.environment))
  const pauses = (await pausesBetween(sql, since, until)).filter((pause) => environments.includes(pause.environment))
  return [
    ...(await Promise.all(runs.map((run) => momentsOfOpen(sql, run)))).flat(),
    ...pauses.map(({ createdAt: at, environment, module, reason, by, until: end, endedAt, id: ref }): Moment => ({
      ...nothing, at, environment, kind: 'context', modules: module === null ? [] : [module], text: `paused until ${iso(endedAt ?? end)}: ${reason}`, by, ref,
    })),
  ]
}

const nothing = { verdict: null, onset: null, by: null, ref: null, record: null } as const

async function momentsOfOpen(sql: Sql, run: RunRow): Promise<Moment[]> {
  const about = { ...nothing, environment: run.environment, modules: Object.keys(run.modules), ref: run.id }
  const approvals = await approvalsOf(sql, run.id)
  return [
    { ...about, at: run.createdAt, kind: 'run', text: `began: ${run.reason}`, by: run.actor },
    ...approvals.map((one): Moment => ({ ...about, at: one.at, kind: 'approval', text: `approved: ${one.reason}`, by: one.principal })),
    ...(run.state === 'waiting' ? [{ ...about, at: run.updatedAt, kind: 'run' as const, text: `waits: ${run.waiting.map((one) => one.message).join('; ')}` }] : []),
  ]
}

export function viewTimeline({ since, until, standing, moments, whole }: Timeline) {
  return {
    since: iso(since),
    until: iso(until),
    standing: [...standing],
    moments: moments.map((moment) => ({ ...moment, at: iso(moment.at), onset: moment.onset === null ? null : iso(moment.onset), modules: [...moment.modules] })),
    whole,
  }
}
