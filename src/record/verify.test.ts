import { describe, expect, test } from 'vitest'
import { newKeyPair, publicKeyOf, signerOf } from './dsse.ts'
import { verifyExport } from './export.ts'
import type { Export } from './export.ts'
import { Frontier } from './merkle.ts'
import { checkpointStatement, runStatement, sealRecord } from './statement.ts'
import type { RunPredicate } from './predicates.ts'

const keys = newKeyPair()
const signer = signerOf(keys.privatePem)

function predicate(seq: number, previous: RunPredicate['chain']['previous']): RunPredicate {
  return {
    chain: { environment: 'staging', seq, previous },
    run: `run-${seq}`,
    state: 'succeeded',
    actor: 'ada',
    reason: `change ${seq}`,
    ticket: null,
    snapshot: { id: 's-1', commits: { orders: 'a'.repeat(40) } },
    changes: [],
    plan: null,
    gates: [],
    approvals: [],
    effects: [],
    modules: [],
    probes: [],
    unknown: [],
    failure: null,
    startedAt: seq,
    endedAt: seq + 1,
  }
}

function chainOf(count: number, checkpointAt: readonly number[] = [count]): Export {
  const tree = new Frontier()
  const records: string[] = []
  const checkpoints = []
  let previous: RunPredicate['chain']['previous'] = null
  for (let seq = 0; seq < count; seq += 1) {
    const { text, digest } = sealRecord(runStatement(predicate(seq, previous)))
    records.push(text)
    tree.append(Buffer.from(digest))
    previous = digest
    if (checkpointAt.includes(tree.size)) {
      const statement = checkpointStatement({ environment: 'staging', size: tree.size, root: tree.root().toString('hex'), head: digest, at: seq })
      checkpoints.push(signer.sign(Buffer.from(JSON.stringify(statement))))
    }
  }
  return { publicKey: keys.publicPem, chains: [{ environment: 'staging', records, checkpoints }] }
}

function tampered(exported: Export, change: (records: string[]) => void): Export {
  const [chain] = exported.chains
  if (chain === undefined) throw new Error('no chain')
  const records = [...chain.records]
  change(records)
  return { ...exported, chains: [{ ...chain, records }] }
}

const first = (exported: Export, heads = {}) => verifyExport(exported, keys.publicPem, heads)[0]?.defects[0]

describe('a chain of records', () => {
  test('verifies as it was written, with checkpoints on the way', () => {
    const [report] = verifyExport(chainOf(9, [2, 3, 9]), keys.publicPem)
    expect(report).toMatchObject({ records: 9, sealed: 9, defects: [] })
  })

  test('an empty one is well', () => {
    expect(first(chainOf(0))).toBeUndefined()
  })

  test('a changed byte is found in the record after it', () => {
    const bad = tampered(chainOf(5), (records) => (records[2] = (records[2] ?? '').replace('change 2', 'change X')))
    expect(first(bad)).toEqual({ where: 'record 3', what: 'does not name the record before it: that one was changed, removed or swapped' })
  })

  test('a changed last record is found by the checkpoint', () => {
    const bad = tampered(chainOf(5), (records) => (records[4] = (records[4] ?? '').replace('change 4', 'change X')))
    expect(first(bad)?.where).toBe('checkpoint of 5 records')
  })

  test('a removed record is found', () => {
    expect(first(tampered(chainOf(5), (records) => records.splice(1, 1)))).toEqual({
      where: 'record 1',
      what: 'is numbered 2: a record before it is missing, or two were swapped',
    })
  })

  test('two swapped records are found', () => {
    expect(first(tampered(chainOf(5), (records) => records.splice(1, 2, records[2] ?? '', records[1] ?? '')))?.where).toBe('record 1')
  })

  test('a cut tail is found by the checkpoint that covered it', () => {
    expect(first(tampered(chainOf(5), (records) => records.pop()))?.what).toContain('covers 5 records, there are 4')
  })

  test('a tail cut together with its checkpoints is found by the head that was published', () => {
    const whole = verifyExport(chainOf(5, [3, 5]), keys.publicPem)[0]
    const cut = chainOf(3, [3])
    expect(first(cut)).toBeUndefined()
    expect(first(cut, { staging: whole?.head ?? '' })?.what).toContain('was published is not in the chain')
    expect(verifyExport({ ...cut, chains: [] }, keys.publicPem, { staging: 'sha256:x' })[0]?.defects[0]?.where).toBe('the chain')
  })

  test('a forged signature, and another key, are found', () => {
    const other = newKeyPair()
    expect(verifyExport(chainOf(2), other.publicPem)[0]?.defects[0]?.what).toBe('is not signed by a known key')
    const forged = chainOf(2)
    const envelope = forged.chains[0]?.checkpoints[0]
    if (envelope === undefined) throw new Error('no checkpoint')
    envelope.payload = Buffer.from(Buffer.from(envelope.payload, 'base64').toString().replace('"size":2', '"size":1')).toString('base64')
    expect(first(forged)?.what).toBe('is not signed by a known key')
  })

  test('a record that no checkpoint covers is not taken for sealed', () => {
    expect(first(chainOf(4, [3]))).toEqual({ where: 'record 3', what: 'is covered by no signed checkpoint' })
  })

  test('a record of another chain, and text that is no record, are named', () => {
    expect(first(tampered(chainOf(2), (records) => (records[1] = '{oops')))).toEqual({ where: 'record 1', what: 'is not JSON' })
    expect(first(tampered(chainOf(2), (records) => (records[0] = (records[0] ?? '').replace('"environment":"staging"', '"environment":"prod"'))))?.what).toContain('chain of prod')
  })

  test('a key that is none is refused with a code', () => {
    expect(() => publicKeyOf('hello')).toThrowError(expect.objectContaining({ code: 'record-key-invalid' }))
  })
})
