import type { KeyObject } from 'node:crypto'
import { digestOfBytes } from '#lib/digest.ts'
import { openEnvelope } from './dsse.ts'
import type { Envelope } from './dsse.ts'
import { Frontier } from './merkle.ts'
import { checkpointType, linkOf, recordKinds } from './statement.ts'
import type { CheckpointPredicate, RecordStatement, Statement } from './statement.ts'

/** One environment's chain, as the store or an export holds it: the records' exact texts, in order. */
export type Chain = { readonly environment: string; readonly records: Iterable<string>; readonly checkpoints: readonly Envelope[] }

/** What is wrong, and where: `record 12` or `checkpoint of 12 records`. */
export type Defect = { readonly where: string; readonly what: string }

export type ChainReport = {
  readonly environment: string
  readonly records: number
  /** How many records the newest good checkpoint covers. */
  readonly sealed: number
  readonly head: string | null
  /** The first bad record, then whatever else is wrong; empty when all is well. */
  readonly defects: readonly Defect[]
}

/**
 * Verifies a chain with nothing but public keys: each record names the one before it, and each checkpoint is signed and has the root of what it covers.
 * `expectedHead` (from the Git ref) shows a tail that was cut: it must be the digest of one of the records.
 */
export function verifyChain(chain: Chain, keys: readonly KeyObject[], expectedHead?: string): ChainReport {
  const defects: Defect[] = []
  const checkpoints = readCheckpoints(chain, keys, defects)
  const tree = new Frontier()
  let previous: string | null = null
  let seen = expectedHead === undefined
  for (const text of chain.records) {
    const seq = tree.size
    const wrong = linkDefect(text, chain.environment, seq, previous)
    if (wrong !== undefined) {
      defects.unshift({ where: `record ${seq}`, what: wrong })
      return { environment: chain.environment, records: seq, sealed: 0, head: previous, defects }
    }
    const digest = digestOfBytes(text)
    tree.append(Buffer.from(digest))
    previous = digest
    seen ||= digest === expectedHead
    for (const one of checkpoints.filter((checkpoint) => checkpoint.size === tree.size)) {
      if (one.root !== tree.root().toString('hex') || one.head !== digest)
        defects.push({ where: `checkpoint of ${one.size} records`, what: 'does not match the records that it covers: one of them, or their order, was changed' })
    }
  }
  const sealed = Math.max(0, ...checkpoints.map((one) => one.size))
  if (sealed > tree.size) defects.push({ where: `record ${tree.size}`, what: `is missing: a signed checkpoint covers ${sealed} records, there are ${tree.size}` })
  if (sealed < tree.size) defects.push({ where: `record ${sealed}`, what: 'is covered by no signed checkpoint' })
  if (!seen) defects.push({ where: `record ${tree.size}`, what: `is missing: the head ${expectedHead} that was published is not in the chain` })
  return { environment: chain.environment, records: tree.size, sealed, head: previous, defects }
}

function readCheckpoints(chain: Chain, keys: readonly KeyObject[], defects: Defect[]): CheckpointPredicate[] {
  return chain.checkpoints.flatMap((envelope, index) => {
    const payload = openEnvelope(envelope, keys)
    if (payload === undefined) {
      defects.push({ where: `checkpoint ${index}`, what: 'is not signed by a known key' })
      return []
    }
    const statement = JSON.parse(payload.toString('utf8')) as Statement<CheckpointPredicate>
    if (statement.predicateType === checkpointType && statement.predicate.environment === chain.environment) return [statement.predicate]
    defects.push({ where: `checkpoint ${index}`, what: `belongs to another chain (${statement.predicate.environment})` })
    return []
  })
}

function linkDefect(text: string, environment: string, seq: number, previous: string | null): string | undefined {
  let statement: RecordStatement
  try {
    statement = JSON.parse(text) as RecordStatement
  } catch {
    return 'is not JSON'
  }
  const link = linkOf(statement)
  if (!(statement.predicateType in recordKinds) || link === undefined) return 'is not a record'
  if (link.environment !== environment) return `belongs to the chain of ${link.environment}`
  if (link.seq !== seq) return `is numbered ${link.seq}: a record before it is missing, or two were swapped`
  if (link.previous !== previous) return 'does not name the record before it: that one was changed, removed or swapped'
  return undefined
}
