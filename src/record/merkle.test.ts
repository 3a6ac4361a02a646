import { expect, test } from 'vitest'
import { Frontier, isIncluded } from './merkle.ts'
import { ProofTree } from './proof-tree.ts'

const merkleRoot = (some: readonly Uint8Array[]): Buffer => {
  const tree = new Frontier()
  for (const leaf of some) tree.append(leaf)
  return tree.root()
}
const leaves = Array.from({ length: 23 }, (_, index) => Buffer.from(`leaf ${index}`))

// The first roots of the test vectors that certificate-transparency implementations share (leaves: '', 00, 10, 2021).
test('roots are those of RFC 6962', () => {
  const vectors = ['', '00', '10', '2021'].map((hex) => Buffer.from(hex, 'hex'))
  expect(merkleRoot([]).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(merkleRoot(vectors.slice(0, 1)).toString('hex')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  expect(merkleRoot(vectors.slice(0, 2)).toString('hex')).toBe('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125')
  expect(merkleRoot(vectors.slice(0, 3)).toString('hex')).toBe('aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77')
  expect(merkleRoot(vectors).toString('hex')).toBe('d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7')
})

test('every leaf of every size is proven, and no other leaf by its proof', () => {
  for (let size = 1; size <= leaves.length; size += 1) {
    const some = leaves.slice(0, size)
    const root = merkleRoot(some)
    const tree = new ProofTree(some)
    expect(tree.root()).toEqual(root)
    for (const [index, leaf] of some.entries()) {
      const proof = tree.proof(index)
      expect(isIncluded(leaf, index, size, proof, root)).toBe(true)
      expect(isIncluded(Buffer.from('another'), index, size, proof, root)).toBe(false)
      expect(isIncluded(leaf, index + 1, size, proof, root)).toBe(false)
      expect(isIncluded(leaf, index, size, [...proof, root], root)).toBe(false)
      if (proof.length > 0) expect(isIncluded(leaf, index, size, proof.slice(1), root)).toBe(false)
    }
  }
})

test('what comes behind a frontier is proven without the leaves before it', () => {
  for (let from = 0; from < leaves.length; from += 1) {
    const start = new Frontier()
    for (const leaf of leaves.slice(0, from)) start.append(leaf)
    const tree = new ProofTree(leaves.slice(from), start.toJSON())
    for (let index = from; index < leaves.length; index += 1) {
      expect(isIncluded(leaves[index] ?? Buffer.alloc(0), index, leaves.length, tree.proof(index), merkleRoot(leaves))).toBe(true)
    }
  }
})

test('a frontier grows as the tree does', () => {
  const tree = new Frontier()
  for (const [index, leaf] of leaves.entries()) {
    tree.append(leaf)
    expect(tree.root()).toEqual(merkleRoot(leaves.slice(0, index + 1)))
    expect(new Frontier(tree.toJSON()).root()).toEqual(tree.root())
  }
})
