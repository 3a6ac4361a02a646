import type { KeyObject } from 'node:crypto'
import { pointsOf } from './chain.ts'
import type { Chain, ChainFrame, Defect, Point } from './chain.ts'
import { keyringOf } from './dsse.ts'
import type { Keyring } from './dsse.ts'
import { growTrust, judgeSignatures, turnsOf } from './trust.ts'
import { Walk } from './walk.ts'
import type { Walked } from './walk.ts'

export type ChainReport = {
  readonly environment: string
  /** How many records the chain has, the pruned ones among them. */
  readonly records: number
  /** Where only some of a chain's records are here: how many it has. */
  readonly of?: number
  readonly pruned: number
  /** How many records the newest good checkpoint covers. */
  readonly sealed: number
  readonly head: string | null
  /** The first bad record, then whatever else is wrong; empty when all is well. */
  readonly defects: readonly Defect[]
}

/** A chain that was walked over, and whose signatures are still to be judged. */
export type Examined = { readonly frame: ChainFrame; readonly walked: Walked; readonly defects: readonly Defect[]; readonly kept: readonly Point[] }

/** Begins to examine a chain: hand its records to `take`, in order, while it says so. `published`: a head that must be among them. */
export function examine(frame: ChainFrame, published?: string): { take(text: string): boolean; end(): Examined } {
  const defects: Defect[] = []
  const points = pointsOf(frame.environment, frame.checkpoints, defects)
  const kept = pointsOf(frame.environment, (frame.rotations ?? []).map((one) => one.checkpoint), defects)
  const walk = new Walk(frame.environment, frame.start, points, published)
  return { take: (text) => walk.take(text), end: () => ({ frame, walked: walk.end(), defects, kept }) }
}

/** Judges chains of one installation with public keys that are trusted: a key's replacement in one of them counts for all. */
export function judge(examined: readonly Examined[], keys: readonly KeyObject[]): ChainReport[] {
  const chains = examined.map((one) => ({ ...one, turns: turnsOf(one.walked, one.frame.rotations ?? [], one.kept) }))
  const trusted = trustIn(examined, keys)
  return chains.map(({ walked, defects, turns }) => {
    const signed = judgeSignatures(walked, turns, trusted)
    const open = walked.defects.length === 0 && signed.defects.length === 0 && signed.sealed < walked.size ? [{ where: `record ${signed.sealed}`, what: 'is covered by no signed checkpoint' }] : []
    return { environment: walked.environment, records: walked.size, pruned: walked.pruned, sealed: signed.sealed, head: walked.head, defects: [...walked.defects, ...signed.defects, ...defects, ...open] }
  })
}

/** The keys that those lead to which are trusted, by the replacements in any of the chains. */
export function trustIn(examined: readonly Examined[], keys: readonly KeyObject[]): Keyring {
  const chains = examined.map((one) => turnsOf(one.walked, one.frame.rotations ?? [], one.kept))
  let trusted: Keyring = keyringOf(keys)
  for (let before = -1; before !== trusted.size; ) {
    before = trusted.size
    for (const turns of chains) trusted = growTrust(turns, trusted)
  }
  return trusted
}

/**
 * Verifies a chain with nothing but public keys: each record names the one before it, and each checkpoint is signed and has the root of what it covers.
 * `expectedHead` (from the Git ref) shows a tail that was cut: it must be the digest of one of the records.
 */
export function verifyChain(chain: Chain, keys: readonly KeyObject[], expectedHead?: string): ChainReport {
  const examining = examine(chain, expectedHead)
  for (const text of chain.records) if (!examining.take(text)) break
  return judge([examining.end()], keys)[0] as ChainReport
}
