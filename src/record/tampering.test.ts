import { describe, expect, test } from 'vitest'
import { ChainWriter, signed } from './chain-fixture.ts'
import type { TestChain } from './chain-fixture.ts'
import { newKeyPair, publicKeyOf } from './dsse.ts'
import { proveRecords, verifyProven } from './proven.ts'
import type { ProvenRecord } from './proven.ts'
import { aRun } from './records-fixture.ts'
import { runRecordType } from './statement.ts'
import { verifyChain } from './verify.ts'

const keys = newKeyPair()
const other = newKeyPair()
const whole = (): TestChain => {
  const writer = new ChainWriter(keys.privatePem)
  for (let size = 1; size <= 8; size += 1) {
    writer.append()
    if (size === 3 || size === 5 || size === 8) writer.seal()
  }
  return writer.chain()
}
const published = verifyChain(whole(), [publicKeyOf(keys.publicPem)]).head ?? ''

/** The records from `at` on, each made anew by `change` and linked to the one before it, as a forger with the store in hand would. */
function rehashed(chain: TestChain, at: number, change: (text: string) => string): string[] {
  const writer = new ChainWriter(keys.privatePem)
  return chain.records.map((text, seq) => {
    const now = JSON.parse(seq === at ? change(text) : text) as { predicate: { chain: object } }
    writer.append((link) => ({ ...now, predicate: { ...now.predicate, chain: link } }) as never)
    return writer.records[seq] ?? ''
  })
}

type Tampering = { readonly how: string; readonly what: (chain: TestChain) => TestChain; readonly where: string; readonly says: string; readonly key?: string; readonly head?: string }
const records = (change: (records: string[]) => unknown) => (chain: TestChain) => {
  change(chain.records)
  return chain
}
/** With a checkpoint right behind it, that one names it; without, the record after it does. */
const edited = (at: number) => records((all) => (all[at] = (all[at] ?? '').replace(`change ${at}`, 'change X')))

const tamperings: readonly Tampering[] = [
  { how: 'a changed byte', what: edited(6), where: 'record 6', says: 'was changed: record 7 names the digest that it had' },
  { how: 'a changed byte in the last record', what: edited(7), where: 'record 7', says: 'the checkpoint that ends with it has another digest' },
  { how: 'a changed link', what: records((all) => (all[4] = (all[4] ?? '').replace(/"previous":"sha256:.{8}/, '"previous":"sha256:00000000'))), where: 'record 4', says: 'it does not name the record before it' },
  { how: 'a removed record', what: records((all) => all.splice(1, 1)), where: 'record 1', says: 'is missing: record 2 stands in its place' },
  { how: 'two swapped records', what: records((all) => all.splice(1, 2, all[2] ?? '', all[1] ?? '')), where: 'record 1', says: 'stands behind record 2: they were swapped' },
  { how: 'a record twice', what: records((all) => all.splice(3, 0, all[2] ?? '')), where: 'record 3', says: 'record 2' },
  { how: 'text that is no record', what: records((all) => (all[1] = '{oops')), where: 'record 1', says: 'is not JSON' },
  { how: 'a document that is no record', what: records((all) => (all[1] = '{"predicateType":"toString"}')), where: 'record 1', says: 'is not a record' },
  { how: 'a changed record whose successors were hashed anew', what: (chain) => ({ ...chain, records: rehashed(chain, 3, (text) => text.replace('change 3', 'change X')) }), where: 'records 3 to 4', says: 'what follows was made to fit' },
  { how: 'all of it hashed anew and signed by another key', what: (chain) => {
    const writer = new ChainWriter(other.privatePem)
    for (let at = 0; at < 8; at += 1) writer.append((link) => aRun(link, { reason: 'forged' }))
    return { ...chain, ...writer.seal().chain() }
  }, where: 'checkpoint of 8 records', says: 'is not signed by a known key' },
  { how: 'a forged signature', what: (chain) => {
    for (const one of chain.checkpoints.at(-1)?.signatures ?? []) one.sig = Buffer.alloc(64, 7).toString('base64')
    return chain
  }, where: 'checkpoint of 8 records', says: 'is not signed by a known key' },
  { how: 'a checkpoint that says another size', what: (chain) => {
    const last = chain.checkpoints.at(-1)
    if (last !== undefined) last.payload = Buffer.from(Buffer.from(last.payload, 'base64').toString().replace('"size":8', '"size":7')).toString('base64')
    return chain
  }, where: 'checkpoint of 7 records', says: 'is not signed by a known key' },
  { how: 'a checkpoint of more records than there are, which nobody signed', what: (chain) => ({ ...chain, checkpoints: [...chain.checkpoints, ...new ChainWriter(other.privatePem).append().seal().checkpoints.map((one) => ({ ...one, payload: Buffer.from(Buffer.from(one.payload, 'base64').toString().replace('"size":1', '"size":99')).toString('base64') }))] }), where: 'checkpoint of 99 records', says: 'is not signed by a known key' },
  { how: 'a cut tail', what: records((all) => all.pop()), where: 'record 7', says: 'a signed checkpoint covers 8 records, there are 7' },
  { how: 'a tail cut together with its checkpoint, behind the published head', what: (chain) => ({ ...chain, records: chain.records.slice(0, 5), checkpoints: chain.checkpoints.slice(0, 2) }), where: 'record 5', says: 'that was published is not in the chain', head: published },
  { how: 'a checkpoint that was rolled back', what: (chain) => ({ ...chain, checkpoints: chain.checkpoints.slice(0, 2) }), where: 'record 5', says: 'is covered by no signed checkpoint' },
  { how: 'a record of another environment’s chain', what: records((all) => (all[6] = new ChainWriter(keys.privatePem, 'production').append().records[0] ?? '')), where: 'record 6', says: 'belongs to the chain of production' },
  { how: 'a checkpoint of another environment’s chain', what: (chain) => ({ ...chain, checkpoints: new ChainWriter(keys.privatePem, 'production').append().seal().checkpoints }), where: 'checkpoint 0', says: 'belongs to another chain (production)' },
  { how: 'another public key', what: (chain) => chain, where: 'checkpoint of 3 records', says: 'is not signed by a known key', key: other.publicPem },
  { how: 'records before the first that were never there', what: (chain) => ({ ...chain, start: { size: 2, head: 'sha256:00', roots: ['0'.repeat(64)] }, records: chain.records.slice(2) }), where: 'record 2', says: 'does not name the last of the records that were pruned' },
]

describe('a tampering is found and named', () => {
  test('where nothing was done there is nothing to name', () => {
    expect(verifyChain(whole(), [publicKeyOf(keys.publicPem)], published).defects).toEqual([])
  })

  test.each(tamperings)('$how', ({ what, where, says, key = keys.publicPem, head }) => {
    const [defect] = verifyChain(what(whole()), [publicKeyOf(key)], head).defects
    expect(defect?.where).toBe(where)
    expect(defect?.what).toContain(says)
  })
})

describe('a tampering of one record with its proof is found and named', () => {
  const proven = (): ProvenRecord => {
    const [one] = proveRecords(signed(whole(), keys.privatePem), (statement) => statement.predicateType === runRecordType && statement.predicate.run === 'run-2')
    if (one === undefined) throw new Error('there is no such record')
    return one
  }
  const edit = (payload: string, from: string, to: string): string => Buffer.from(Buffer.from(payload, 'base64').toString().replace(from, to)).toString('base64')
  const [, another] = [...proveRecords(signed(whole(), keys.privatePem), () => true)]

  const cases: readonly [how: string, change: (one: ProvenRecord) => object, where: string, says: string, key?: string][] = [
    ['a changed byte', (one) => ({ ...one, payload: edit(one.payload, 'change 2', 'change X') }), 'record 2', 'has no signature of a known key'],
    ['a forged signature', (one) => ({ ...one, signatures: [{ keyid: one.signatures[0]?.keyid, sig: Buffer.alloc(64, 7).toString('base64') }] }), 'record 2', 'has no signature of a known key'],
    ['a signature that is gone', (one) => ({ ...one, signatures: [] }), 'record 2', 'has no signature of a known key'],
    ['another record in its place', (one) => ({ ...one, payload: another?.payload }), 'record 2', 'is another one than the file says'],
    ['another number', (one) => ({ ...one, seq: 3 }), 'record 3', 'is another one than the file says'],
    ['a changed proof', (one) => ({ ...one, inclusion: { ...one.inclusion, hashes: ['0'.repeat(64), ...one.inclusion.hashes.slice(1)] } }), 'record 2', 'is not among the records'],
    ['a proof that lacks a step', (one) => ({ ...one, inclusion: { ...one.inclusion, hashes: one.inclusion.hashes.slice(1) } }), 'record 2', 'is not among the records'],
    ['a checkpoint of another size', (one) => ({ ...one, checkpoint: whole().checkpoints[0] }), 'record 2', 'is not among the records'],
    ['a checkpoint that was edited', (one) => ({ ...one, checkpoint: { ...one.checkpoint, payload: edit(one.checkpoint.payload, '"size":8', '"size":9') } }), 'checkpoint of 9 records', 'is not signed by a known key'],
    ['another public key', (one) => one, 'record 2', 'has no signature of a known key', other.publicPem],
    ['no proof at all', () => ({ hello: 1 }), 'the file', 'is no record with its signature and its proof'],
  ]

  test('where nothing was done there is nothing to name', () => {
    expect(verifyProven(JSON.stringify(proven()), [publicKeyOf(keys.publicPem)])).toMatchObject({ environment: 'staging', seq: 2, defects: [] })
  })

  test.each(cases)('%s', (_, change, where, says, key = keys.publicPem) => {
    const [defect] = verifyProven(JSON.stringify(change(proven())), [publicKeyOf(key)]).defects
    expect(defect?.where).toBe(where)
    expect(defect?.what).toContain(says)
  })

  test('each record of a chain is proven, also behind a pruned beginning and across a replaced key', () => {
    const next = newKeyPair()
    const writer = new ChainWriter(keys.privatePem).append().append().rotate(next.privatePem).append().append().append().seal()
    for (const chain of [writer.chain(), writer.prune(4)]) {
      const all = [...proveRecords(signed(chain, next.privatePem), () => true)]
      expect(all).toHaveLength(chain.records.length)
      for (const pem of [keys.publicPem, next.publicPem]) expect(all.flatMap((one) => verifyProven(JSON.stringify(one), [publicKeyOf(pem)]).defects)).toEqual([])
    }
  })
})
