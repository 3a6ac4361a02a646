import type { Day } from '#record/predicates.ts'
import { summaryOf } from '#record/day.ts'
import type { LookedAt } from '#record/day.ts'
import { recordsBetween, summarizedUntil } from '#store/records.ts'
import { sampleCounts } from '#store/samples.ts'
import type { Sql } from '#store/sql.ts'
import { appendAllToChain } from './chain.ts'
import type { Parts } from './parts.ts'

const day = 86_400_000

/** After a longer absence the days before that are left out. */
const mostDays = 7
/** So far back a record tells how a module stood; a day that it was looked at has one of its own. */
const standingFrom = { ms: 30 * day, records: 500 }

/** One record a module and day (UTC) on which it was looked at, once that day is over: in place of the samples, which go before it does. */
export async function summarizeDays(parts: Parts, environment: string): Promise<void> {
  const today = Math.floor(parts.clock.now() / day) * day
  const told = await summarizedUntil(parts.sql, environment, today - mostDays * day)
  for (let from = told ?? today - day; from < today; from += day) await summarizeDay(parts, environment, from)
}

/** All modules of a day in one transaction, so that the last of these records tells how far it went. */
async function summarizeDay(parts: Parts, environment: string, from: number): Promise<void> {
  const to = from + day
  const modules = Map.groupBy(await sampleCounts(parts.sql, environment, from, to), (row) => row.module)
  if (modules.size === 0) return
  await parts.sql.transaction(async (tx) => {
    const days = await Promise.all([...modules].map(async ([module, rows]) => {
      const samples = Object.fromEntries(rows.map(({ verdict, count }) => [verdict, count])) as Day['samples']
      return { looked: { environment, module, from, to, samples } satisfies LookedAt, records: await recordsOf(tx, environment, module, to) }
    }))
    if ((await summarizedUntil(tx, environment, to)) !== undefined) return
    await appendAllToChain(tx, parts, environment, days.map(({ looked, records }) => (link) => summaryOf(looked, records, link)), parts.clock.now())
  })
}

async function recordsOf(tx: Sql, environment: string, module: string, to: number): Promise<string[]> {
  const rows = await recordsBetween(tx, { environments: [environment], module, from: to - standingFrom.ms, to: to - 1, limit: standingFrom.records })
  return rows.map(({ text }) => text).reverse()
}
