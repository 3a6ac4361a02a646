import { redactedDocument } from '#model/redacted.ts'
import { Frontier } from '#record/merkle.ts'
import type { ChainLink } from '#record/predicates.ts'
import { aboutOf, checkpointStatement, sealRecord } from '#record/statement.ts'
import type { RecordStatement } from '#record/statement.ts'
import { enqueue } from '#store/queue.ts'
import { appendRecord, lockChain, publishing, saveCheckpoint, savePublished } from '#store/records.ts'
import type { Sql } from '#store/sql.ts'
import type { Parts } from './parts.ts'

/** The end of an environment's chain, as a checkpoint has it. */
export type Head = { readonly size: number; readonly root: string; readonly head: string }

/**
 * Appends one record to an environment's chain, with a signed checkpoint over all of it, in the transaction of what it tells of: both become true, or neither.
 * `build` is given the place in the chain that the record must name. The head is published later, and many of them at once.
 */
export async function appendToChain(tx: Sql, parts: Pick<Parts, 'clock' | 'signer' | 'redactor'>, environment: string, build: (link: ChainLink) => RecordStatement | Promise<RecordStatement>, now: number): Promise<Head & { readonly seq: number }> {
  const end = await lockChain(tx, environment)
  const built = await build({ environment, seq: end.size, previous: end.head })
  const statement = { ...built, predicate: redactedDocument(built.predicate, (said) => parts.redactor.redact(said)) } as RecordStatement
  const { text, digest } = sealRecord(statement)
  const tree = new Frontier(end.frontier)
  tree.append(Buffer.from(digest))
  const head = { size: tree.size, root: tree.root().toString('hex'), head: digest }
  await appendRecord(tx, { environment, seq: end.size, digest, ...aboutOf(statement), text }, { size: tree.size, head: digest, frontier: tree.toJSON() }, now)
  const checkpoint = parts.signer.sign(Buffer.from(JSON.stringify(checkpointStatement({ environment, ...head, at: now }))))
  await saveCheckpoint(tx, environment, tree.size, checkpoint, 'until the next')
  await enqueue(tx, parts.clock, `chain/${environment}`)
  return { ...head, seq: end.size }
}

/** Heads of one chain are published no more often than this (ms): a thousand records a second are one push, not a thousand. */
const publishEvery = 1_000

/** Publishes the head of a chain where nobody who can write the store can cut it. Tells when to come again, where it is too early. */
export async function publishChain(parts: Parts, environment: string): Promise<{ again: number } | undefined> {
  const chain = await publishing(parts.sql, environment)
  if (chain === undefined || chain.head === null || chain.published >= chain.size) return undefined
  const now = parts.clock.now()
  if (now < chain.publishedAt + publishEvery && now >= chain.publishedAt) return { again: chain.publishedAt + publishEvery }
  await parts.publish(environment, { size: chain.size, root: new Frontier(chain.frontier).root().toString('hex'), head: chain.head })
  await savePublished(parts.sql, environment, chain.size, now)
  return undefined
}
