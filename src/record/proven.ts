import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { digestOfBytes } from '#lib/digest.ts'
import { pointsOf } from './chain.ts'
import type { Chain, Defect, KeptRotation } from './chain.ts'
import { envelopeOf, keyringOf, payloadType, signersOf } from './dsse.ts'
import type { Envelope } from './dsse.ts'
import { isIncluded } from './merkle.ts'
import { ProofTree } from './proof-tree.ts'
import { keyRotationType, linkOf } from './statement.ts'
import type { RecordStatement } from './statement.ts'
import { forgery, growTrust, turnsOf } from './trust.ts'

/**
 * One record that proves itself: a DSSE envelope (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md) over its text, signed when it was exported, and beside it what it takes
 * to get from it to the root that a signed checkpoint states (RFC 6962, section 2.1.1; the leaf is the record's digest, as text). `rotations` lead from an older key to the one that signed.
 */
export type ProvenRecord = Envelope & {
  readonly environment: string
  readonly seq: number
  readonly inclusion: { readonly size: number; readonly hashes: readonly string[] }
  readonly checkpoint: Envelope
  readonly rotations: readonly KeptRotation[]
}

const envelope = z.object({ payloadType: z.string(), payload: z.string(), signatures: z.array(z.object({ keyid: z.string(), sig: z.string() })) })
const proven = z.object({
  ...envelope.shape,
  payloadType: z.literal(payloadType),
  payload: z.base64(),
  environment: z.string(),
  seq: z.int().min(0),
  inclusion: z.object({ size: z.int().min(1), hashes: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(64) }),
  checkpoint: envelope,
  rotations: z.array(z.object({ record: z.string(), checkpoint: envelope })),
})

/** A chain, and the signatures of its records, in their order. */
export type SignedChain = Chain & { readonly signatures: readonly Envelope['signatures'][number][] }

/** The records of a chain that `wanted` picks, each with its signature and its proof. All of the chain is read first: 64 bytes a record. */
export function* proveRecords(chain: SignedChain, wanted: (statement: RecordStatement) => boolean): Generator<ProvenRecord> {
  const leaves: Buffer[] = []
  const turns: { record: string; size: number }[] = []
  for (const text of chain.records) {
    leaves.push(Buffer.from(digestOfBytes(text)))
    if (text.includes(keyRotationType)) turns.push({ record: text, size: leaves.length + (chain.start?.size ?? 0) })
  }
  const points = pointsOf(chain.environment, chain.checkpoints, [])
  const newest = points.reduce<(typeof points)[number] | undefined>((a, b) => (a === undefined || b.says.size > a.says.size ? b : a), undefined)
  if (newest === undefined) return
  const from = chain.start?.size ?? 0
  const size = newest.says.size
  const tree = new ProofTree(leaves.slice(0, size - from), chain.start ?? undefined)
  const rotations = [...(chain.rotations ?? []), ...turns.flatMap((turn) => points.filter(({ says }) => says.size === turn.size).map((point) => ({ record: turn.record, checkpoint: point.envelope })))]
  let seq = from
  for (const text of chain.records) {
    if (seq >= size) return
    const signature = chain.signatures[seq - from]
    if (signature !== undefined && wanted(JSON.parse(text) as RecordStatement))
      yield {
        environment: chain.environment, seq, ...envelopeOf(Buffer.from(text), [signature]),
        inclusion: { size, hashes: tree.proof(seq).map((hash) => hash.toString('hex')) }, checkpoint: newest.envelope, rotations,
      }
    seq += 1
  }
}

/** `record`: the exact text that was signed. */
export type Proof = { readonly environment: string; readonly seq: number; readonly record: string; readonly checkpoint: Envelope | undefined; readonly defects: Defect[] }

/** What is wrong with one record that proves itself, held against public keys that are trusted; nothing where all is well. */
export function verifyProven(text: string, keys: readonly KeyObject[]): Proof {
  const parsed = proven.safeParse(parse(text))
  if (!parsed.success) return { environment: '', seq: -1, record: '', checkpoint: undefined, defects: [{ where: 'the file', what: 'is no record with its signature and its proof' }] }
  const { environment, seq, payload, inclusion, checkpoint, rotations } = parsed.data
  const where = `record ${seq}`
  const defects: Defect[] = []
  const [point] = pointsOf(environment, [checkpoint], defects)
  const record = Buffer.from(payload, 'base64').toString('utf8')
  const link = linkOf((parse(record) ?? {}) as object)
  if (link === undefined || link.environment !== environment || link.seq !== seq) defects.push({ where, what: 'is another one than the file says' })
  const turns = turnsOf({ pruned: Number.MAX_SAFE_INTEGER, rotations: [], good: [] }, rotations, pointsOf(environment, rotations.map((one) => one.checkpoint), defects))
  const trusted = growTrust(turns, keyringOf(keys))
  if (signersOf(parsed.data, trusted).size === 0) defects.push({ where, what: 'has no signature of a known key' })
  if (point !== undefined) {
    const wrong = forgery(point, turns, trusted)
    if (wrong !== undefined) defects.push(wrong)
    const hashes = inclusion.hashes.map((hash) => Buffer.from(hash, 'hex'))
    const isThere = point.says.size === inclusion.size && isIncluded(Buffer.from(digestOfBytes(record)), seq, inclusion.size, hashes, Buffer.from(point.says.root, 'hex'))
    if (!isThere) defects.push({ where, what: 'is not among the records that the checkpoint covers: it, its number or its proof was changed' })
  }
  return { environment, seq, record, checkpoint, defects }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
