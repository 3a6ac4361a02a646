import { payloadOf } from './dsse.ts'
import type { Envelope } from './dsse.ts'
import type { KeyRotationPredicate } from './predicates.ts'
import { checkpointType, keyRotationType } from './statement.ts'
import type { CheckpointPredicate, RecordStatement, Statement } from './statement.ts'

/** What is left of the records that were pruned: how many there were, the digest of the last of them, and the tree's frontier over them. */
export type ChainStart = { readonly size: number; readonly head: string; readonly roots: readonly string[] }

/** A record of a key's replacement that is older than what was pruned, with the checkpoint that ends with it. */
export type KeptRotation = { readonly record: string; readonly checkpoint: Envelope }

/** One environment's chain beside its records, as the store or an export holds it. */
export type ChainFrame = {
  readonly environment: string
  /** Absent, or null, where nothing was pruned. */
  readonly start?: ChainStart | null
  readonly rotations?: readonly KeptRotation[]
  readonly checkpoints: readonly Envelope[]
}

/** A chain with its records' exact texts, in order. */
export type Chain = ChainFrame & { readonly records: Iterable<string> }

/** A head that was published, written `sha256:…@size`, or without the size, as older words had it. */
export type PublishedHead = { readonly digest: string; readonly size: number | undefined }

/** Nothing where it is not written so. */
export function publishedHeadOf(written: string): PublishedHead | undefined {
  const [, digest, size] = /^(sha256:[0-9a-f]{64})(?:@([1-9][0-9]{0,14}))?$/.exec(written) ?? []
  return digest === undefined ? undefined : { digest, size: size === undefined ? undefined : Number(size) }
}

/** What is wrong, and where: `record 12` or `checkpoint of 12 records`. */
export type Defect = { readonly where: string; readonly what: string }

/** What a checkpoint says, before anybody looked at who signed it. */
export type Point = { readonly envelope: Envelope; readonly says: CheckpointPredicate }

export type Rotation = Pick<KeyRotationPredicate, 'from' | 'to'> & { readonly seq: number; readonly digest: string }

/** Reads checkpoints; those that are none, or of another chain, are defects. */
export function pointsOf(environment: string, checkpoints: readonly Envelope[], defects: Defect[]): Point[] {
  return checkpoints.flatMap((envelope, index) => {
    const says = read(envelope)
    if (says?.environment === environment) return [{ envelope, says }]
    defects.push({ where: `checkpoint ${index}`, what: says === undefined ? 'is no checkpoint' : `belongs to another chain (${says.environment})` })
    return []
  })
}

function read(envelope: Envelope): CheckpointPredicate | undefined {
  try {
    const statement = JSON.parse(payloadOf(envelope)?.toString('utf8') ?? 'null') as Statement<CheckpointPredicate> | null
    const says = statement?.predicate
    return statement?.predicateType === checkpointType && Number.isInteger(says?.size) && typeof says?.environment === 'string' ? says : undefined
  } catch {
    return undefined
  }
}

/** What a record says of a key's replacement, if it is about one. */
export function rotationOf(statement: RecordStatement, digest: string): Rotation | undefined {
  if (statement.predicateType !== keyRotationType) return undefined
  const { from, to, chain } = statement.predicate
  return typeof from?.keyId === 'string' && typeof to?.keyId === 'string' ? { seq: chain.seq, digest, from, to } : undefined
}
