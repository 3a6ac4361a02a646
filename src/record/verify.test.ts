import { describe, expect, test } from 'vitest'
import { ChainWriter } from './chain-fixture.ts'
import type { TestChain } from './chain-fixture.ts'
import { newKeyPair, publicKeyOf } from './dsse.ts'
import { examine, judge, verifyChain } from './verify.ts'
import type { ChainReport } from './verify.ts'

const [first, second, third] = [newKeyPair(), newKeyPair(), newKeyPair()]
const written = (records: number, sealedAt: readonly number[] = [records], environment = 'staging'): ChainWriter => {
  const writer = new ChainWriter(first.privatePem, environment)
  for (let size = 1; size <= records; size += 1) {
    writer.append()
    if (sealedAt.includes(size)) writer.seal()
  }
  return writer
}
const verified = (chain: TestChain, publicPem = first.publicPem, head?: string): ChainReport => verifyChain(chain, [publicKeyOf(publicPem)], head)

describe('a chain of records', () => {
  test('verifies as it was written, with checkpoints on the way', () => {
    expect(verified(written(9, [2, 3, 9]).chain())).toMatchObject({ records: 9, sealed: 9, pruned: 0, defects: [] })
  })

  test('an empty one is well', () => {
    expect(verified(new ChainWriter(first.privatePem).chain()).defects).toEqual([])
  })

  test('a record that no checkpoint covers is not taken for sealed', () => {
    expect(verified(written(4, [3]).chain())).toMatchObject({ sealed: 3, defects: [{ where: 'record 3', what: 'is covered by no signed checkpoint' }] })
  })

  test('a key that is none is refused with a code', () => {
    expect(() => publicKeyOf('hello')).toThrowError(expect.objectContaining({ code: 'record-key-invalid' }))
  })
})

describe('a key that was replaced', () => {
  const rotated = (): ChainWriter => written(3, [2]).rotate(second.privatePem).append().seal().rotate(third.privatePem).append().append().seal()

  test.each([['the first', first], ['the second', second], ['the last', third]])('verifies from %s key that signed', (_, key) => {
    expect(verified(rotated().chain(), key.publicPem)).toMatchObject({ records: 8, sealed: 8, defects: [] })
  })

  test('is not trusted where the old key did not sign for the new one', () => {
    const chain = written(3).rotate(second.privatePem, 'the old one does not sign').append().seal().chain()
    expect(verified(chain).defects[0]).toEqual({ where: 'record 3', what: 'replaces the key without the signatures of both keys' })
    expect(verified(chain).sealed).toBe(3)
    expect(verified(chain, second.publicPem).defects).not.toEqual([])
  })

  test('signs nothing any more: what it signs behind its replacement is named', () => {
    const writer = written(2).rotate(second.privatePem)
    const chain = writer.append().seal().chain()
    const late = new ChainWriter(first.privatePem)
    for (const text of chain.records) late.append(() => JSON.parse(text) as never)
    const forged = { ...chain, checkpoints: [...chain.checkpoints.slice(0, -1), ...late.seal().checkpoints] }
    expect(verified(forged).defects[0]).toEqual({ where: 'checkpoint of 4 records', what: 'is signed by a key that is not the one of its time (record 2 replaced it)' })
  })

  test('counts in a chain that began after it, by the record of it in another', () => {
    const young = new ChainWriter(second.privatePem, 'production').append().seal().chain()
    expect(verified(young).defects).toMatchObject([{ what: 'is not signed by a known key' }])
    const examined = [rotated().chain(), young].map((chain) => {
      const examining = examine(chain)
      for (const text of chain.records) examining.take(text)
      return examining.end()
    })
    expect(judge(examined, [publicKeyOf(first.publicPem)]).flatMap((report) => report.defects)).toEqual([])
  })
})

describe('a chain whose oldest records were pruned', () => {
  test.each([1, 2, 5, 8])('verifies from record %i on, also when its key was replaced in what is gone', (size) => {
    const writer = written(3).rotate(second.privatePem).append().append().append().append().append().seal()
    expect(verified(writer.prune(size))).toMatchObject({ records: 10, pruned: size, sealed: 10, defects: [] })
  })

  test('is not believed without the record that says so', () => {
    const writer = written(6)
    const pruned = writer.prune(4)
    expect(verified({ ...pruned, start: { ...pruned.start, size: 4, head: pruned.start?.head ?? 'sha256:', roots: [`${'0'.repeat(64)}`] } }).defects[0]?.where).toBe('records 0 to 3')
    const unsaid = { ...written(6).chain(), start: pruned.start ?? null }
    expect(verified({ ...unsaid, records: unsaid.records.slice(4) }).defects).toEqual([{ where: 'records 0 to 3', what: 'are missing, and no record says that they were pruned' }])
  })
})
