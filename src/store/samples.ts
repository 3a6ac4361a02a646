import type { Sample, Verdict } from '#model/probe.ts'
import type { Verification } from '#model/run.ts'
import type { Sql } from './sql.ts'

/** One sample that is kept, for a while: `tidy` forgets it by the workspace's policy. */
export type SampleRow = { readonly environment: string; readonly module: string; readonly probe: string; readonly at: number; readonly verdict: Verdict; readonly run: string | null; readonly sample: Sample }

/** A look that changed no verdict: what is the newest of each probe now, and until when the module's verification counts. */
export type Look = {
  readonly environment: string
  readonly module: string
  /** What was delivered, and what was known of it, when the look began: of anything else it says nothing. */
  readonly delivered: string | null
  readonly verification: Verification
  /** When the look began: what changed underneath after that is not seen by it. */
  readonly began: number
  readonly verifiedAt: number
  readonly staleAt: number | null
  readonly samples: readonly SampleRow[]
  readonly probes: readonly { readonly probe: string; readonly verdict: Verdict; readonly askedAt: number; readonly sample: Sample | null }[]
}

export async function insertSamples(sql: Sql, rows: readonly SampleRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql.query(
    `insert into sample (environment, module, probe, at, verdict, run, sample)
     select environment, module, probe, at, verdict, run, sample
     from jsonb_to_recordset($1) as given (environment text, module text, probe text, at bigint, verdict text, run text, sample jsonb)`,
    [rows],
  )
}

/**
 * Many looks in one statement, and so in one commit. Who was overtaken, by a run or by another worker with the lease, changes nothing: what is known by then is
 * another verdict, of something else, or newer.
 */
async function saveLooks(sql: Sql, looks: readonly Look[]): Promise<void> {
  const samples = looks.flatMap((look) => look.samples)
  const probes = looks.flatMap(({ environment, module, delivered, probes: own }) => own.map((probe) => ({ environment, module, delivered, ...probe })))
  const modules = looks.map(({ environment, module, delivered, verification, began, verifiedAt, staleAt }) => ({ environment, module, delivered, verification, began, verifiedAt, staleAt }))
  await sql.query(
    `with samples as (
       insert into sample (environment, module, probe, at, verdict, run, sample)
       select environment, module, probe, at, verdict, run, sample
       from jsonb_to_recordset($1) as given (environment text, module text, probe text, at bigint, verdict text, run text, sample jsonb)),
     probes as (
       update probe_state as state set asked_at = given."askedAt", sample = given.sample
       from jsonb_to_recordset($2) as given (environment text, module text, delivered text, probe text, verdict text, "askedAt" bigint, sample jsonb)
       where (state.environment, state.module, state.probe, state.verdict) = (given.environment, given.module, given.probe, given.verdict) and state.asked_at <= given."askedAt"
         and (given.delivered is null or exists (select 1 from module_status known where (known.environment, known.module, known.delivered) = (given.environment, given.module, given.delivered))))
     update module_status as status set verified_at = given."verifiedAt", stale_at = given."staleAt",
       moved_at = case when status.moved_at > given.began then status.moved_at end, moved_why = case when status.moved_at > given.began then status.moved_why end
     from jsonb_to_recordset($3) as given (environment text, module text, delivered text, verification text, began bigint, "verifiedAt" bigint, "staleAt" bigint)
     where (status.environment, status.module, status.delivered, status.verification) = (given.environment, given.module, given.delivered, given.verification)
       and coalesce(status.verified_at, 0) <= given."verifiedAt"`,
    [samples, probes, modules],
  )
}

/** Looks that come while a commit is under way share the next one: a disk that syncs 500 times a second keeps many thousands of samples. */
export class LookLog {
  readonly #sql: Sql
  #next: { readonly looks: Look[]; readonly saved: Promise<void> } | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Resolves when it is on the disk. */
  keep(look: Look): Promise<void> {
    if (this.#next === undefined) {
      const looks: Look[] = []
      const saved = this.#last.then(() => {
        this.#next = undefined
        return saveLooks(this.#sql, looks)
      })
      this.#next = { looks, saved }
      this.#last = saved.catch(() => {}) // whoever waits for it is told
    }
    this.#next.looks.push(look)
    return this.#next.saved
  }
}

/** How many samples of each module said what, from one time until another. */
export async function sampleCounts(sql: Sql, environment: string, from: number, to: number): Promise<{ module: string; verdict: Verdict; count: number }[]> {
  return sql.query(`select module, verdict, count(*)::int as count from sample where environment = $1 and at >= $2 and at < $3 group by module, verdict order by module, verdict`, [environment, from, to])
}

export async function forgetSamples(sql: Sql, before: number): Promise<void> {
  await sql.query('delete from sample where at < $1', [before])
}
