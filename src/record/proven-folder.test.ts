import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChainWriter, signed } from './chain-fixture.ts'
import { newKeyPair } from './dsse.ts'
import { openProvenFolder, verifyProvenFolder, writeProvenFolder } from './proven-folder.ts'
import type { ProvenRecord } from './proven.ts'
import { runRecordType } from './statement.ts'
import type { ChainReport } from './verify.ts'

const [keys, other] = [newKeyPair(), newKeyPair()]
let dir: string
const written = (environment = 'staging', privatePem = keys.privatePem): ChainWriter => {
  const writer = new ChainWriter(privatePem, environment)
  for (let at = 0; at < 6; at += 1) {
    writer.append()
    if (at === 2) writer.seal()
  }
  return writer.seal()
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'plumbline-signed-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const whole = (): Promise<string[]> => writeProvenFolder(dir, keys.publicPem, ['staging', 'production'].map((environment) => signed(written(environment).chain(), keys.privatePem)))
const verified = (key: string | undefined = keys.publicPem, heads = {}): ChainReport[] => {
  const folder = openProvenFolder(dir)
  if (folder === undefined) throw new Error('it is no such folder')
  return verifyProvenFolder(folder, key, heads)
}
const staging = (heads = {}): ChainReport | undefined => verified(keys.publicPem, heads).find(({ environment }) => environment !== 'production')

const records = join('staging', 'records.dsse.ndjson')
const linesOf = (): ProvenRecord[] => readFileSync(join(dir, records), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as ProvenRecord)
const write = (lines: readonly object[]): void => writeFileSync(join(dir, records), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
const lines = (change: (lines: ProvenRecord[]) => unknown) => (): void => {
  const all = linesOf()
  change(all)
  write(all)
}
const at = (seq: number, change: (one: ProvenRecord) => ProvenRecord) => lines((all) => all.splice(seq, 1, change(all[seq] as ProvenRecord)))
const rewritten = (payload: string, from: string, to: string): string => Buffer.from(Buffer.from(payload, 'base64').toString().replace(from, to)).toString('base64')
const frame = (change: (frame: { checkpoints: object[]; has: string }) => unknown) => (): void => {
  const file = join(dir, 'staging', 'chain.json')
  const read = JSON.parse(readFileSync(file, 'utf8')) as { checkpoints: object[]; has: string }
  change(read)
  writeFileSync(file, JSON.stringify(read))
}

test('every record of a whole export is signed and proven, and the chain is whole', async () => {
  expect(await whole()).toHaveLength(5)
  expect(verified().map(({ environment, records: count, sealed, of, defects }) => [environment, count, sealed, of, defects])).toEqual([['production', 6, 6, undefined, []], ['staging', 6, 6, undefined, []]])
  for (const line of linesOf()) expect(line).toMatchObject({ payloadType: 'application/vnd.in-toto+json', signatures: [{ keyid: expect.stringMatching(/^sha256:/), sig: expect.any(String) }] })
})

test('some records verify one by one, say of how many they are, and a head among them is known', async () => {
  await writeProvenFolder(dir, keys.publicPem, [signed(written().chain(), keys.privatePem), signed(written('production').chain(), keys.privatePem)], (statement) => statement.predicateType === runRecordType && statement.predicate.run === 'run-2' && statement.predicate.chain.environment === 'staging')
  expect(verified()).toMatchObject([{ environment: 'staging', records: 1, of: 6, defects: [] }])
  expect(verified(keys.publicPem, { staging: `sha256:${'1'.repeat(64)}` })[0]?.defects).toMatchObject([{ where: 'the chain', what: expect.stringContaining('can only be looked for in an export of all records') }])
  at(0, (one) => ({ ...one, payload: rewritten(one.payload, 'change 2', 'change X') }))()
  expect(verified()[0]?.defects.map(({ what }) => what)).toEqual(['has no signature of a known key', expect.stringContaining('is not among the records')])
})

test('across a replaced key, the first public key is enough; in a chain that began after it, too', async () => {
  const next = newKeyPair()
  const old = new ChainWriter(keys.privatePem).append().rotate(next.privatePem).append().seal()
  const young = new ChainWriter(next.privatePem, 'production').append().seal()
  await writeProvenFolder(dir, next.publicPem, [signed(old.chain(), next.privatePem), signed(young.chain(), next.privatePem)])
  for (const key of [keys.publicPem, next.publicPem]) expect(verified(key).flatMap(({ defects }) => defects)).toEqual([])
  expect(verified(other.publicPem).flatMap(({ defects }) => defects).map(({ what }) => what)).toContain('has no signature of a known key')
})

test('behind a pruned beginning, an old head is told as pruned', async () => {
  const writer = written()
  await writeProvenFolder(dir, keys.publicPem, [signed(writer.prune(4), keys.privatePem)])
  expect(staging()?.defects).toEqual([])
  const gone = `sha256:${'2'.repeat(64)}`
  expect(staging({ staging: `${gone}@3` })?.defects).toEqual([{ where: 'record 2', what: `was pruned, with the head ${gone} that was published: it can no longer be looked for, and a newer one has to be given` }])
  expect(staging({ staging: gone })?.defects[0]?.what).toContain('unless it is that of one of the 4 records that were pruned: give its size too')
  expect(staging({ staging: `${staging()?.head}@7` })?.defects).toEqual([])
  expect(staging({ staging: `${staging()?.head}@6` })?.defects[0]).toMatchObject({ where: 'record 5', what: expect.stringContaining('is another one') })
})

describe('a tampering of its files is found and named', () => {
  test.each<[how: string, tamper: () => void, where: string, what: string]>([
    ['a changed byte', at(2, (one) => ({ ...one, payload: rewritten(one.payload, 'change 2', 'change X') })), 'record 2', 'was changed: record 3 names the digest that it had'],
    ['a removed record', lines((all) => all.splice(3, 1)), 'record 3', 'is missing: record 4 stands in its place'],
    ['two swapped records', lines((all) => all.splice(2, 2, all[3] as ProvenRecord, all[2] as ProvenRecord)), 'record 2', 'stands behind record 3: they were swapped'],
    ['a record twice', lines((all) => all.splice(3, 0, all[2] as ProvenRecord)), 'record 2', 'it is there twice'],
    ['a forged signature', at(2, (one) => ({ ...one, signatures: one.signatures.map(({ keyid }) => ({ keyid, sig: Buffer.alloc(64, 7).toString('base64') })) })), 'record 2', 'has no signature of a known key'],
    ['a signature of another record', lines((all) => all.splice(2, 1, { ...(all[2] as ProvenRecord), signatures: all[3]?.signatures ?? [] })), 'record 2', 'has no signature of a known key'],
    ['no signature', at(2, (one) => ({ ...one, signatures: [] })), 'record 2', 'has no signature of a known key'],
    ['a changed proof', at(2, (one) => ({ ...one, inclusion: { ...one.inclusion, hashes: one.inclusion.hashes.slice(1) } })), 'record 2', 'is not among the records that the checkpoint covers'],
    ['a tail that was cut', lines((all) => all.splice(4)), 'record 4', 'is missing: a signed checkpoint covers 6 records, there are 4'],
    ['checkpoints that were rolled back', frame((read) => read.checkpoints.pop()), 'record 3', 'is covered by no signed checkpoint'],
    ['a forged signature of a checkpoint', frame((read) => (read.checkpoints = [{ ...read.checkpoints[1], signatures: [{ keyid: 'sha256:0', sig: 'AAAA' }] }])), 'checkpoint of 6 records', 'is not signed by a known key'],
    ['a record of another environment', lines((all) => all.splice(5, 1, JSON.parse(readFileSync(join(dir, 'production', 'records.dsse.ndjson'), 'utf8').trimEnd().split('\n')[5] ?? '') as ProvenRecord)), 'record 5', 'belongs to the chain of production'],
    ['a folder that bears another name', () => renameSync(join(dir, 'staging'), join(dir, 'sandbox')), 'record 0', 'belongs to the chain of staging'],
    ['a line that is no record', lines((all) => all.splice(1, 1, {} as ProvenRecord)), 'record 1', 'is not JSON'],
    ['a scope that hides a gap and a swap', () => {
      frame((read) => (read.has = 'some'))()
      lines((all) => all.reverse())()
    }, 'record 4', 'stands behind record 5'],
  ])('%s', async (_, tamper, where, what) => {
    await whole()
    tamper()
    expect(staging()?.defects).toContainEqual({ where, what: expect.stringContaining(what) as string })
  })

  test('a tail that was cut together with its checkpoints, behind the head that was published', async () => {
    await whole()
    const head = `${staging()?.head}@6`
    const shorter = new ChainWriter(keys.privatePem).append().append().append().seal()
    await writeProvenFolder(dir, keys.publicPem, [signed(shorter.chain(), keys.privatePem)])
    expect(staging()?.defects).toEqual([])
    expect(staging({ staging: head })?.defects).toEqual([{ where: 'record 5', what: expect.stringContaining('is missing: the head') as string }])
  })

  test('all of it made anew with another key, or a chain that is gone', async () => {
    await writeProvenFolder(dir, other.publicPem, [signed(written('staging', other.privatePem).chain(), other.privatePem)])
    expect(staging()?.defects.map(({ what }) => what)).toEqual(expect.arrayContaining(['is not signed by a known key', 'has no signature of a known key']))
    expect(verified(other.publicPem, { production: `sha256:${'0'.repeat(64)}` }).at(-1)).toMatchObject({ environment: 'production', defects: [{ where: 'the chain' }] })
  })

  test('a frame that is none is refused', async () => {
    await whole()
    writeFileSync(join(dir, 'staging', 'chain.json'), '{"has":"everything"}')
    expect(() => openProvenFolder(dir)).toThrow(expect.objectContaining({ code: 'record-export-invalid' }))
    expect(openProvenFolder(join(dir, 'nowhere'))).toBeUndefined()
  })
})
