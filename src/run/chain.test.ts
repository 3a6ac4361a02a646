import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'
import { newKeyPair, publicKeyOf, signerOf } from '#record/dsse.ts'
import { aFinding, aRun, aSummary, aVerdictChange } from '#record/records-fixture.ts'
import { verifyChain } from '#record/verify.ts'
import { chain, unpublished } from '#store/records.ts'
import type { Store } from '#store/sql.ts'
import { describeStores } from '../../test/stores.ts'
import { appendToChain, publishChain } from './chain.ts'
import type { Parts } from './parts.ts'

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

describeStores('An environment’s chain', ({ store: opened }) => {
  test('takes records of every kind, in one order, under a checkpoint that covers them all', async () => {
    const store = await opened()
    const { parts, clock } = partsOn(store)
    const builders = [aRun, aVerdictChange, aFinding, aSummary]
    await Promise.all(Array.from({ length: 12 }, (_, at) => store.transaction((tx) => appendToChain(tx, parts, 'kinds', (link) => builders[at % 4]?.(link) ?? aRun(link), clock.now()))))
    const { records, checkpoints } = await chain(store, 'kinds')
    expect(verifyChain({ environment: 'kinds', records, checkpoints }, [publicKeyOf(keys.publicPem)])).toMatchObject({ records: 12, sealed: 12, defects: [] })
    expect(checkpoints).toHaveLength(1)
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
    expect(await chain(store, 'undone')).toEqual({ records: [], checkpoints: [] })
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
    expect(await unpublished(store)).toContain('heads')
    refuse(undefined)
    expect(await publishChain(parts, 'heads')).toBeUndefined()
    expect(published.map((one) => one.size)).toEqual([2, 3])
    expect(await unpublished(store)).not.toContain('heads')
  })
})
