import { createHash } from 'node:crypto'

/** RFC 6962, section 2.1: a leaf is hashed behind a zero byte, a node behind a one. Hashes are 32 bytes. */
export function leafHash(data: Uint8Array): Buffer {
  return createHash('sha256').update(new Uint8Array([0])).update(data).digest()
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(new Uint8Array([1])).update(left).update(right).digest()
}

/** A frontier as it is stored: the roots in hexadecimal, largest subtree first. */
export type FrontierJson = { size: number; roots: string[] }

/** A growing tree, kept as the roots of its full subtrees, largest first: appending costs log n. */
export class Frontier {
  #size: number
  #roots: Buffer[]

  /** Empty, or as `toJSON` of an earlier one left it. */
  constructor(from: FrontierJson = { size: 0, roots: [] }) {
    this.#size = from.size
    this.#roots = from.roots.map((root) => Buffer.from(root, 'hex'))
  }

  get size(): number {
    return this.#size
  }

  toJSON(): FrontierJson {
    return { size: this.#size, roots: this.#roots.map((root) => root.toString('hex')) }
  }

  append(leaf: Uint8Array): void {
    let root = leafHash(leaf)
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      const left = this.#roots.pop()
      if (left !== undefined) root = nodeHash(left, root)
    }
    this.#roots.push(root)
    this.#size += 1
  }

  /** The root over all leaves so far; of none, the hash of nothing. */
  root(): Buffer {
    const [last, ...larger] = this.#roots.toReversed()
    if (last === undefined) return createHash('sha256').digest()
    return larger.reduce((right, left) => nodeHash(left, right), last)
  }
}

export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  const tree = new Frontier()
  for (const leaf of leaves) tree.append(leaf)
  return tree.root()
}

/** RFC 6962, section 2.1.1: what it takes to get from leaf `index` to the root of `leaves`. */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): Buffer[] {
  if (index < 0 || index >= leaves.length) throw new RangeError(`no leaf ${index} in a tree of ${leaves.length}`)
  if (leaves.length === 1) return []
  const split = largestPowerBelow(leaves.length)
  return index < split
    ? [...inclusionProof(leaves.slice(0, split), index), merkleRoot(leaves.slice(split))]
    : [...inclusionProof(leaves.slice(split), index - split), merkleRoot(leaves.slice(0, split))]
}

/** RFC 9162, section 2.1.3.2: whether `leaf` is number `index` in the tree of `size` leaves with that root. */
export function isIncluded(leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (index < 0 || index >= size) return false
  let node = index
  let last = size - 1
  let hash = leafHash(leaf)
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2)
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && hash.equals(root)
}

function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}
