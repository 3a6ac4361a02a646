import { Failure } from '#lib/failure.ts'
import { redactedDocument } from '#model/redacted.ts'
import type { Signer } from '#record/dsse.ts'
import { Frontier } from '#record/merkle.ts'
import type { ChainLink } from '#record/predicates.ts'
import { aboutOf, checkpointStatement, sealRecord } from '#record/statement.ts'
import type { RecordStatement } from '#record/statement.ts'
import { enqueue } from '#store/queue.ts'
import { appendRecords, lockChain, saveCheckpoint } from '#store/records.ts'
import type { RecordRow } from '#store/records.ts'
import type { Sql } from '#store/sql.ts'
import type { Parts } from './parts.ts'

/** The end of an environment's chain, as a checkpoint has it. */
export type Head = { readonly size: number; readonly root: string; readonly head: string }

export type BuildRecord = (link: ChainLink) => RecordStatement | Promise<RecordStatement>

/**
 * Appends one record to an environment's chain, in the transaction of what it tells of: both become true, or neither. `build` is given the place in
 * the chain that the record must name. A key that is here signs at once; one that is elsewhere is asked later, and so is the head published, for many records at once.
 * Failure `record-key-superseded`.
 */
export async function appendToChain(tx: Sql, parts: Pick<Parts, 'clock' | 'signer' | 'redactor'>, environment: string, build: BuildRecord, now: number): Promise<Head & { readonly seq: number }> {
  const head = await appendAllToChain(tx, parts, environment, [build], now)
  return { ...head, seq: head.size - 1 }
}

/** The same for several records at once, in their order, under one checkpoint. */
export async function appendAllToChain(tx: Sql, parts: Pick<Parts, 'clock' | 'signer' | 'redactor'>, environment: string, builds: readonly BuildRecord[], now: number): Promise<Head> {
  const { signer } = parts
  const head = await append(tx, parts, environment, signer.keyId, builds, now)
  if (signer.kind === 'key') await saveCheckpoint(tx, environment, head.size, signer.sign(checkpointBytes(environment, head, now)), 'until the next')
  await enqueue(tx, parts.clock, `chain/${environment}`)
  return head
}

/** Appends records without a checkpoint; from here on `follower` is the key that signs. */
export async function append(tx: Sql, { signer, redactor }: Pick<Parts, 'signer' | 'redactor'>, environment: string, follower: string, builds: readonly BuildRecord[], now: number): Promise<Head> {
  const end = await lockChain(tx, environment)
  if (end.signer !== null && end.signer !== signer.keyId) throw superseded(environment, signer, end.signer)
  const tree = new Frontier(end.frontier)
  const rows: RecordRow[] = []
  for (const build of builds) {
    const built = await build({ environment, seq: tree.size, previous: rows.at(-1)?.digest ?? end.head })
    const statement = { ...built, predicate: redactedDocument(built.predicate, (said) => redactor.redact(said)) } as RecordStatement
    const { text, digest } = sealRecord(statement)
    rows.push({ environment, seq: tree.size, digest, ...aboutOf(statement), text })
    tree.append(Buffer.from(digest))
  }
  const head = rows.at(-1)?.digest ?? end.head
  if (head === null) throw new Error(`nothing to append to the chain of ${environment}`)
  await appendRecords(tx, environment, rows, { size: tree.size, head, frontier: tree.toJSON(), signer: follower }, now)
  return { size: tree.size, root: tree.root().toString('hex'), head }
}

export function checkpointBytes(environment: string, { size, root, head }: Head, at: number): Buffer {
  return Buffer.from(JSON.stringify(checkpointStatement({ environment, size, root, head: head as `sha256:${string}`, at })))
}

function superseded(environment: string, signer: Signer, by: string): Failure {
  return new Failure({
    code: 'record-key-superseded',
    subject: `records of ${environment}`,
    message: `the key ${by} signs them by now, and this process has ${signer.keyId}`,
    hint: 'Start this process again with the new key in its folder of keys.',
    retry: 'later',
  })
}
