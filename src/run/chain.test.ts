import { expect, test } from 'vitest'
import { FakeClock, systemClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'
import { envelopeOf, keyringOf, newKeyPair, publicKeyOf, signerOf, signersOf } from '#record/dsse.ts'
import { aFinding, aRun, aSummary, aVerdictChange } from '#record/records-fixture.ts'
import { verifyChain } from '#record/verify.ts'
import { openStore, type StorePlace } from '#store/open.ts'
import { chainPage, unpublished } from '#store/records.ts'
import type { Store } from '#store/sql.ts'
import { describeStores } from '../../test/stores.ts'
import { appendToChain } from './chain.ts'
import type { Parts } from './parts.ts'
import { pruneChainOf } from './prune-records.ts'
import { publishChain } from './publish-chain.ts'
import { exportRecords } from './records.ts'
import { expectSigner, rotateKey } from './rotate-key.ts'

const keys = newKeyPair()

function partsOn(sql: Store): { parts: Parts; clock: FakeClock; published: { size: number; head: string }[]; refuse: (failure: Failure | undefined) => void } {
  const clock = new FakeClock()
  const published: { size: number; head: string }[] = []
  let refused: Failure | undefined
  const publish = (_: string, { size, head }: { size: number; head: string }): Promise<void> => {
    if (refused !== undefined) return Promise.reject(refused)
    published.push({ size, head })
    return Promise.resolve()
  }
  const parts = { sql, clock, signer: signerOf(keys.privatePem), redactor: new Redactor(), publish } as Partial<Parts> as Parts
  return { parts, clock, published, refuse: (failure) => (refused = failure) }
}

describeStores('An environment’s chain', ({ store: opened, place, kind }) => {
  test('takes records of every kind, in one order, under a checkpoint that covers them all', async () => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    const builders = [aRun, aVerdictChange, aFinding, aSummary]
    await Promise.all(Array.from({ length: 12 }, (_, at) => store.transaction((tx) => appendToChain(tx, parts, 'kinds', (link) => builders[at % 4]?.(link) ?? aRun(link), clock.now()))))
    const page = await chainPage(store, 'kinds', 0)
    expect(page?.checkpoints).toHaveLength(1)
    expect(page && verifyChain(page, [publicKeyOf(keys.publicPem)])).toMatchObject({ records: 12, sealed: 12, defects: [] })
    expect(await store.query(`select kind, count(*) as n from record where environment = 'kinds' group by kind order by kind`)).toEqual(
      ['finding', 'run', 'verdict-change', 'verification-summary'].map((kind) => ({ kind, n: 3 })),
    )
    expect(await store.query(`select distinct modules from record where environment = 'kinds' and kind = 'finding'`)).toEqual([{ modules: ['orders-api'] }])
  })

  test('has nothing of a transaction that failed', async () => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    const failing = store.transaction(async (tx) => {
      await appendToChain(tx, parts, 'undone', (link) => aRun(link, { run: 'run-undone' }), clock.now())
      throw new Failure({ code: 'internal', subject: 'a test', message: 'no' })
    })
    await expect(failing).rejects.toMatchObject({ code: 'internal' })
    expect(await chainPage(store, 'undone', 0)).toBeUndefined()
  })

  test('is published once for many records, and again only when a second has passed', async () => {
    const store = await opened()
    const { parts, clock, published, refuse } = partsOn(store)
    const append = (run: string) => store.transaction((tx) => appendToChain(tx, parts, 'heads', (link) => aRun(link, { run }), clock.now()))
    await append('h-1')
    await append('h-2')
    expect(await publishChain(parts, 'heads')).toBeUndefined()
    expect(published).toMatchObject([{ size: 2 }])
    await append('h-3')
    expect(await publishChain(parts, 'heads')).toEqual({ again: clock.now() + 1_000 })
    clock.advance(1_000)
    refuse(new Failure({ code: 'push-refused', subject: 'platform', message: 'no', retry: 'later' }))
    await expect(publishChain(parts, 'heads')).rejects.toMatchObject({ code: 'push-refused' })
    expect(published).toHaveLength(1)
    expect((await unpublished(store)).get('heads')).toMatchObject({ code: 'push-refused', subject: 'head of the records of heads', message: 'no', hint: expect.stringContaining('a tail that is cut would not show') as string })
    refuse(undefined)
    expect(await publishChain(parts, 'heads')).toBeUndefined()
    expect(published.map((one) => one.size)).toEqual([2, 3])
    expect((await unpublished(store)).get('heads')).toBeUndefined()
    expect(await publishChain(parts, 'heads')).toBeUndefined()
    expect(published).toHaveLength(2)
  })

  const tamperings: readonly [how: string, sql: string, where: string, says: string][] = [
    ['a changed byte', `update record set text = replace(text, 'change 2', 'change X') where environment = $1 and seq = 2`, 'record 2', 'was changed'],
    ['a removed record', `delete from record where environment = $1 and seq = 3`, 'record 3', 'is missing'],
    ['two swapped records', `update record set seq = case seq when 1 then 2 when 2 then 1 else seq end + case when seq in (1, 2) then 1000 else 0 end where environment = $1; update record set seq = seq - 1000 where environment = $1 and seq > 1000`, 'record 1', 'they were swapped'],
    ['a cut tail', `delete from record where environment = $1 and seq >= 5`, 'record 5', 'a signed checkpoint covers 6 records'],
    ['a checkpoint that is gone', `delete from checkpoint where environment = $1`, 'record 0', 'is covered by no signed checkpoint'],
    ['a checkpoint of another chain', `update checkpoint set envelope = (select k.envelope from checkpoint k where k.environment = 'untouched') where environment = $1`, 'checkpoint 0', 'belongs to another chain'],
    ['a record of another chain', `update record set text = (select r.text from record r where r.environment = 'untouched' and r.seq = 4) where environment = $1 and seq = 4`, 'record 4', 'belongs to the chain of untouched'],
    ['a forged signature', `update checkpoint set envelope = jsonb_set(envelope, '{signatures,0,sig}', '"AAAA"') where environment = $1`, 'checkpoint of 6 records', 'is not signed by a known key'],
    ['a record twice', `update record set text = (select r.text from record r where r.environment = $1 and r.seq = 2) where environment = $1 and seq = 3`, 'record 3', 'record 2 stands in its place'],
    ['a beginning that was pruned in silence', `update chain set start = jsonb_build_object('size', 2, 'head', (select digest from record where environment = $1 and seq = 1), 'roots', '[]'::jsonb) where environment = $1; delete from record where environment = $1 and seq < 2`, 'records 0 to 1', 'no record says that they were pruned'],
  ]

  test.each(tamperings.map((one, at) => [...one, at] as const))('tells of a store that was tampered with: %s', async (_, statements, where, says, at) => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    const environment = `tampered-${at}`
    const write = async (name: string): Promise<void> => {
      for (let seq = 0; seq < 6; seq += 1) await store.transaction((tx) => appendToChain(tx, parts, name, (link) => aRun(link, { run: `${name}-${seq}` }), clock.now()))
    }
    if ((await chainPage(store, 'untouched', 0)) === undefined) await write('untouched')
    await write(environment)
    for (const statement of statements.split(';')) await store.query(statement, [environment])
    const page = await chainPage(store, environment, 0)
    const defects = page === undefined ? [] : verifyChain(page, [publicKeyOf(keys.publicPem)]).defects
    expect(defects).toContainEqual({ where, what: expect.stringContaining(says) as string })
  })

  test('tells of a store whose tail was cut together with its checkpoint, by the head that was pushed', async () => {
    const store = await opened()
    const { parts, clock, published } = partsOn(store)
    const write = (run: string) => store.transaction((tx) => appendToChain(tx, parts, 'cut', (link) => aRun(link, { run }), clock.now()))
    await write('c-0')
    const before = await chainPage(store, 'cut', 0)
    await write('c-1')
    await publishChain(parts, 'cut')
    await store.query(`delete from record where environment = 'cut' and seq >= 1`)
    await store.query(`update checkpoint set size = 1, envelope = $1 where environment = 'cut'`, [before?.checkpoints[0] ?? null])
    const page = await chainPage(store, 'cut', 0)
    const [head] = published
    expect(page && verifyChain(page, [publicKeyOf(keys.publicPem)]).defects).toEqual([])
    expect(page && verifyChain(page, [publicKeyOf(keys.publicPem)], `${head?.head}@${head?.size}`).defects).toEqual([{ where: 'record 1', what: expect.stringContaining('is missing: the head') as string }])
  })

  test('hands out its records with a signature of each, where the key is here', async () => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    for (const run of ['s-1', 's-2']) await store.transaction((tx) => appendToChain(tx, parts, 'signed', (link) => aRun(link, { run }), clock.now()))
    const { chains, publicKey } = await exportRecords(parts, { environment: 'signed', from: 0, sign: 'each' }, () => true)
    const [chain] = chains
    const known = keyringOf([publicKeyOf(publicKey)])
    expect(chain?.records.map((text, at) => signersOf(envelopeOf(Buffer.from(text), [chain.signatures?.[at] ?? { keyid: '', sig: '' }]), known).size)).toEqual([1, 1])
    expect((await exportRecords(parts, { environment: 'signed', from: 0 }, () => true)).chains[0]?.signatures).toBeUndefined()
    const elsewhere: Parts = { ...parts, signer: { ...signerOf(keys.privatePem), kind: 'command', sign: () => Promise.reject(new Error('it is not asked')) } }
    await expect(exportRecords(elsewhere, { environment: 'signed', from: 0, sign: 'each' }, () => true)).rejects.toMatchObject({ code: 'record-key-elsewhere', hint: expect.stringContaining('--format json') as string })
  })

  test('loses what is older than records are kept, day by day, and still verifies', async () => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    const day = 86_400_000
    for (let at = 0; at < 6; at += 1) {
      await store.transaction((tx) => appendToChain(tx, parts, 'pruned', (link) => aRun(link, { run: `p-${at}`, endedAt: clock.now() }), clock.now()))
      clock.advance(day)
    }
    await pruneChainOf(parts, 'pruned', 30 * day)
    expect((await chainPage(store, 'pruned', 0))?.start).toBeNull()
    for (const keep of [4, 4, 2]) await pruneChainOf(parts, 'pruned', keep * day)
    const page = await chainPage(store, 'pruned', 0)
    expect(page?.start?.size).toBe(4)
    expect(page && verifyChain(page, [publicKeyOf(keys.publicPem)])).toMatchObject({ records: 8, pruned: 4, sealed: 8, defects: [] })
    expect(await store.query(`select min(seq) as first, count(*) as n from record where environment = 'pruned'`)).toEqual([{ first: 4, n: 4 }])
  })

  test('goes on under another key, and whoever has the one or the other can verify all of it', async () => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    const next = newKeyPair()
    let current = parts.signer
    const rotating: Parts = {
      ...parts,
      get signer() {
        return current
      },
      nextKey: { stage: () => Promise.resolve(signerOf(next.privatePem)), promote: () => Promise.resolve(void (current = signerOf(next.privatePem))) },
    }
    const append = (run: string, by: Parts = rotating) => store.transaction((tx) => appendToChain(tx, by, 'rotated', (link) => aRun(link, { run }), clock.now()))
    await append('r-1')
    const rotated = await rotateKey(rotating, 'admin', 'once a year')
    expect(rotated.environments).toContain('rotated')
    await append('r-2')
    await expect(append('r-3', parts)).rejects.toMatchObject({ code: 'record-key-superseded' })
    const page = await chainPage(store, 'rotated', 0)
    for (const key of [keys, next]) expect(page && verifyChain(page, [publicKeyOf(key.publicPem)])).toMatchObject({ records: 3, sealed: 3, defects: [] })
    await expect(expectSigner({ sql: store, signer: parts.signer })).rejects.toMatchObject({ code: 'record-key-changed' })
    await expectSigner({ sql: store, signer: current })
    await expect(rotateKey(rotating, 'admin', 'again')).rejects.toMatchObject({ code: 'record-key-invalid' })
  })

  test('signs later where the key is elsewhere, and keeps its records while that does not answer', async () => {
    const store = await opened()
    const { parts, clock, published } = partsOn(store)
    const local = signerOf(newKeyPair().privatePem)
    let answers = false
    const elsewhere: Parts = { ...parts, signer: { ...local, kind: 'command', sign: (bytes) => (answers ? Promise.resolve(local.sign(bytes)) : Promise.reject(new Failure({ code: 'record-signer-failed', subject: 'sign', message: 'no', retry: 'later' }))) } }
    for (const run of ['e-1', 'e-2']) await store.transaction((tx) => appendToChain(tx, elsewhere, 'elsewhere', (link) => aRun(link, { run }), clock.now()))
    await expect(publishChain(elsewhere, 'elsewhere')).rejects.toMatchObject({ code: 'record-signer-failed' })
    expect((await chainPage(store, 'elsewhere', 0))?.checkpoints).toEqual([])
    answers = true
    await publishChain(elsewhere, 'elsewhere')
    expect(published).toMatchObject([{ size: 2 }])
    const page = await chainPage(store, 'elsewhere', 0)
    expect(page && verifyChain(page, [publicKeyOf(local.publicKey)])).toMatchObject({ sealed: 2, defects: [] })
  })

  test.runIf(kind === 'postgres')(`goes on under another key though its signer is slow${kind === 'postgres' ? '' : ' (only a server ends a transaction in which nothing happens)'}`, async () => {
    const store = await opened()
    const hasty = await openStore({ ...(await place()), statementTimeout: 200 } as StorePlace, systemClock)
    const { parts, clock } = partsOn(hasty)
    const next = signerOf(newKeyPair().privatePem)
    const sign = async (bytes: Buffer) => (await store.query('select pg_sleep(0.5)'), next.sign(bytes))
    const slow = { ...parts, nextKey: { stage: () => Promise.resolve({ ...next, kind: 'command', sign }), promote: () => Promise.resolve() } } as unknown as Parts
    await store.script('truncate chain, record, checkpoint cascade')
    await hasty.transaction((tx) => appendToChain(tx, parts, 'slow', (link) => aRun(link, { run: 'r-1' }), clock.now()))
    expect(await rotateKey(slow, 'admin', 'once a year')).toMatchObject({ environments: ['slow'] })
    await hasty.close()
  })
})
