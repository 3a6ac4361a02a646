import { rotationOf } from './chain.ts'
import type { Defect, KeptRotation, Point, Rotation } from './chain.ts'
import { digestOfBytes } from '#lib/digest.ts'
import { keyIdOf, publicKeyOf, signersOf } from './dsse.ts'
import type { Keyring } from './dsse.ts'
import type { RecordStatement } from './statement.ts'
import type { Mismatch, Walked } from './walk.ts'

/** A replacement of a key, with a checkpoint that ends with it. */
type Turn = Rotation & { readonly points: readonly Point[] }

/** The replacements of keys in a chain, in order: those that were walked over, and those that were kept when what is around them was pruned. */
export function turnsOf(walked: Pick<Walked, 'pruned' | 'rotations' | 'good'>, kept: readonly KeptRotation[], keptPoints: readonly Point[]): Turn[] {
  const older = kept.flatMap(({ record }): Rotation[] => {
    const rotation = readRotation(record)
    return rotation === undefined || rotation.seq >= walked.pruned ? [] : [rotation]
  })
  return [...older, ...walked.rotations].sort((a, b) => a.seq - b.seq).map((turn) => ({
    ...turn,
    points: [...keptPoints, ...walked.good].filter(({ says }) => says.size === turn.seq + 1 && says.head === turn.digest),
  }))
}

function readRotation(record: string): Rotation | undefined {
  try {
    return rotationOf(JSON.parse(record) as RecordStatement, digestOfBytes(record))
  } catch {
    return undefined // it vouches for nothing
  }
}

/** More keys that may be trusted: a replacement that both keys signed hands trust from the one to the other. */
export function growTrust(turns: readonly Turn[], trusted: Keyring): Keyring {
  const grown = new Map(trusted)
  for (let before = -1; before !== grown.size; ) {
    before = grown.size
    for (const turn of turns) {
      const keys = vouched(turn)
      if (keys !== undefined && [...keys.keys()].some((id) => grown.has(id))) for (const [id, key] of keys) grown.set(id, key)
    }
  }
  return grown
}

/** What the checkpoints say against the records, and what is wrong with who signed them; and how many records the newest good one covers. */
export function judgeSignatures(walked: Walked, turns: readonly Turn[], trusted: Keyring): { readonly defects: Defect[]; readonly sealed: number } {
  const unvouched = turns.filter((turn) => vouched(turn) === undefined).map(({ seq }) => ({ where: `record ${seq}`, what: 'replaces the key without the signatures of both keys' }))
  const forged: Defect[] = []
  const signed = (point: Point): boolean => {
    const defect = forgery(point, turns, trusted)
    if (defect !== undefined) forged.push(defect)
    return defect === undefined
  }
  const sound = walked.good.filter(signed).map(({ says }) => says.size)
  const [mismatch] = walked.mismatched.filter(({ point }) => signed(point))
  const beyond = walked.beyond.filter(signed).map(({ says }) => says.size)
  const changed = mismatch === undefined ? [] : [changedBefore(mismatch, Math.max(walked.pruned, ...sound.filter((size) => size < mismatch.point.says.size)))]
  const missing = beyond.length === 0 ? [] : [{ where: `record ${walked.size}`, what: `is missing: a signed checkpoint covers ${Math.max(...beyond)} records, there are ${walked.size}` }]
  return { defects: [...changed, ...missing, ...unvouched, ...forged], sealed: Math.max(0, ...sound) }
}

function changedBefore({ point: { says }, differs }: Mismatch, sound: number): Defect {
  const last = says.size - 1
  if (differs === 'last') return { where: `record ${last}`, what: 'was changed: the checkpoint that ends with it has another digest' }
  return { where: sound === last ? `record ${last}` : `records ${sound} to ${last}`, what: `do not match the checkpoint of ${says.size} records: one of them was changed, and what follows was made to fit` }
}

/** Why the signatures of a checkpoint say nothing; `undefined` where they do. */
export function forgery({ envelope, says }: Point, turns: readonly Turn[], trusted: Keyring): Defect | undefined {
  const where = `checkpoint of ${says.size} records`
  const signers = signersOf(envelope, trusted)
  if (signers.size === 0) return { where, what: 'is not signed by a known key' }
  const { keys, since } = keysFor(says.size, turns)
  if (keys === undefined || keys.some((id) => signers.has(id))) return undefined
  return { where, what: `is signed by a key that is not the one of its time (record ${since} replaced it)` }
}

/** Which keys sign a checkpoint of so many records; any that is trusted, where the key was never replaced. */
function keysFor(size: number, turns: readonly Turn[]): { keys: string[] | undefined; since: number } {
  const next = turns.find((turn) => size <= turn.seq + 1)
  const last = turns.findLast((turn) => size > turn.seq + 1)
  if (next !== undefined) return { keys: size === next.seq + 1 ? [next.from.keyId, next.to.keyId] : [next.from.keyId], since: last?.seq ?? next.seq }
  return { keys: last === undefined ? undefined : [last.to.keyId], since: last?.seq ?? 0 }
}

/** Both keys of a replacement, if both signed the checkpoint that ends with it. */
function vouched({ from, to, points }: Turn): Keyring | undefined {
  try {
    const keys = new Map([from, to].map((one) => [one.keyId, publicKeyOf(one.publicKey)]))
    if ([...keys].some(([id, key]) => keyIdOf(key) !== id)) return undefined
    return points.some(({ envelope }) => signersOf(envelope, keys).size === 2) ? keys : undefined
  } catch {
    return undefined // no key at all
  }
}
