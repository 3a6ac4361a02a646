import { Frontier } from '#record/merkle.ts'
import { pruneType, statementOf } from '#record/statement.ts'
import { chainEnd, chains, oldestRecords, pruneChain } from '#store/records.ts'
import { appendToChain } from './chain.ts'
import type { Parts } from './parts.ts'

const day = 86_400_000

/** At once; the rest is for the next time. */
const most = 20_000

/** Prunes what is older than records are kept for. Whole days at a time: that records go is a record too. */
export async function pruneRecords(parts: Parts, keepMs: number): Promise<void> {
  for (const environment of await chains(parts.sql)) await pruneChainOf(parts, environment, keepMs)
}

export async function pruneChainOf(parts: Parts, environment: string, keepMs: number): Promise<void> {
  const now = parts.clock.now()
  const before = Math.floor((now - keepMs) / day) * day
  await parts.sql.transaction(async (tx) => {
    const { start = null } = (await chainEnd(tx, environment)) ?? {}
    const old = await oldestRecords(tx, environment, start?.size ?? 0, before, most)
    const last = old.at(-1)
    if (last === undefined) return
    const tree = new Frontier(start ?? undefined)
    for (const { digest } of old) tree.append(Buffer.from(digest))
    const left = { size: tree.size, head: last.digest, roots: tree.toJSON().roots }
    // The record that says so comes first: it is under the same signature as what is left.
    await appendToChain(tx, parts, environment, (chain) => statementOf(pruneType, { chain, ...left, keepMs, before, at: now }, { name: `records:${environment}` }), now)
    await pruneChain(tx, environment, left)
  })
}
