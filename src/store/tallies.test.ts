import { expect, test } from 'vitest'
import { describeStores } from '../../test/stores.ts'
import { createRun, saveModuleOutcome, updateRun } from './runs.ts'
import type { RunKind } from './runs.ts'
import type { Sql } from './sql.ts'
import { deliveryTallies, queueCounts, runBounds, runTallies, tallyRun } from './tallies.ts'

async function ended(sql: Sql, id: string, kind: RunKind, seconds: number, deliveries: Readonly<Record<string, 'delivered' | 'failed' | 'delivering'>>): Promise<void> {
  const modules = Object.fromEntries(Object.keys(deliveries).map((module) => [module, { intent: 'i', changed: module !== 'dependent' }]))
  await createRun(sql, { id, environment: 'staging', kind, snapshot: 's', actor: 'a', reason: 'r', ticket: null, startedBy: null, changes: [], modules, createdAt: 1_000 })
  for (const [module, delivery] of Object.entries(deliveries)) await saveModuleOutcome(sql, id, { module, delivery, verification: 'unknown', readinessOnly: false }, [], 1_000)
  await sql.transaction(async (tx) => {
    if (await updateRun(tx, id, 'succeeded', 1_000 + seconds * 1_000)) await tallyRun(tx, id)
  })
}

describeStores('tallies', (fixture) => {
  test('a run that ended counts once, with how long it took and what became of what it was to change', async () => {
    const sql = await fixture.store()
    await ended(sql, 'one', 'change', 1.5, { shop: 'delivered', dependent: 'delivered', orders: 'failed', left: 'delivering' })
    await ended(sql, 'two', 'change', 45, { shop: 'delivered' })
    await ended(sql, 'three', 'verify', 0.5, { shop: 'delivered' })
    await ended(sql, 'four', 'change', 100_000, {})
    const counts = (seconds: readonly number[]): number[] => runBounds.map((bound) => seconds.filter((one) => one <= bound).length)
    expect(await runTallies(sql)).toEqual([
      { environment: 'staging', kind: 'change', outcome: 'succeeded', count: 3, seconds: 100_046.5, buckets: counts([1.5, 45, 100_000]) },
      { environment: 'staging', kind: 'verify', outcome: 'succeeded', count: 1, seconds: 0.5, buckets: counts([0.5]) },
    ])
    expect(await deliveryTallies(sql)).toEqual([{ environment: 'staging', outcome: 'delivered', count: 2 }, { environment: 'staging', outcome: 'failed', count: 1 }, { environment: 'staging', outcome: 'unknown', count: 1 }])
  })

  test('what is due and what somebody works on are told apart, by the kind of work', async () => {
    const sql = await fixture.store()
    await sql.query(`insert into work (key, due, owner, lease) values ('run/a', 100, null, null), ('run/b', 300, null, null), ('run/later', 5000, null, null), ('verify/x/y', 0, 7, 9000)`)
    expect(await queueCounts(sql, 1_000)).toEqual([{ kind: 'run', waiting: 2, running: 0, oldest: 100 }, { kind: 'verify', waiting: 0, running: 1, oldest: null }])
  })
})
