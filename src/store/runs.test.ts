import { expect, test } from 'vitest'
import type { RunSelection } from '#model/latest-run.ts'
import type { Effect } from '#model/plan.ts'
import { describeStores } from '../../test/stores.ts'
import { createRun, findRun, journal, listRuns, openJournal, openRuns, startEffect, updateRun } from './runs.ts'
import type { NewRun } from './runs.ts'
import type { Sql } from './sql.ts'

const run = (id: string, environment: string): NewRun => ({
  id,
  environment,
  kind: 'change',
  snapshot: 's-1',
  actor: 'ada',
  reason: 'why',
  ticket: null,
  startedBy: null,
  changes: [],
  modules: { web: { intent: 'sha256:1', changed: true } },
  createdAt: 1,
})

describeStores('Runs', ({ store }) => {
  test('a run that has ended stays as it is, whoever still works on it', async () => {
    const sql = await store()
    await createRun(sql, run('run-1', 'staging'))
    expect(await updateRun(sql, 'run-1', 'cancelled', 5, { recordSeq: 0, recordDigest: 'sha256:r' })).toBe(true)
    for (const state of ['planning', 'verifying', 'succeeded'] as const) expect(await updateRun(sql, 'run-1', state, 9)).toBe(false)
    expect(await findRun(sql, 'run-1')).toMatchObject({ state: 'cancelled', endedAt: 5, updatedAt: 5, recordDigest: 'sha256:r' })
  })

  test('the effects of a run are written down in one statement, in order and once; not before the run itself', async () => {
    const sql = await store()
    const effects = Array.from({ length: 300 }, (_, at) => ({ key: `core/ConfigMap/shop/${at}`, module: at % 2 === 0 ? 'web' : 'api' }) as Effect)
    await expect(openJournal(sql, 'run-5', effects)).rejects.toMatchObject({ code: 'store-constraint' })
    await createRun(sql, run('run-5', 'elsewhere'))
    const asked: string[] = []
    const counting: Sql = { kind: sql.kind, transaction: (work) => sql.transaction(work), query: (text, params) => (asked.push(text), sql.query(text, params)) }
    await openJournal(counting, 'run-5', effects)
    await startEffect(sql, 'run-5', effects[0] as Effect, 7)
    await openJournal(counting, 'run-5', effects)
    expect(asked).toHaveLength(2)
    const written = await journal(sql, 'run-5')
    expect(written.toSorted((a, b) => a.position - b.position).map(({ effect }) => effect)).toEqual(effects)
    expect(written.filter(({ state }) => state === 'started').map(({ key, startedAt }) => [key, startedAt])).toEqual([['core/ConfigMap/shop/0', 7]])
  })

  test('open runs are those that have not ended, the oldest first', async () => {
    const sql = await store()
    for (const id of ['run-2', 'run-3', 'run-4']) await createRun(sql, run(id, 'sandbox'))
    await updateRun(sql, 'run-3', 'failed', 2)
    expect((await openRuns(sql, 'sandbox')).map((one) => one.id)).toEqual(['run-2', 'run-4'])
    expect(await openRuns(sql, 'production')).toEqual([])
    // Of them, those that wait for an approval, among whatever else they wait for.
    const [pause, approval] = (['pause', 'approval'] as const).map((waitingFor) => ({ code: waitingFor, outcome: 'wait', waitingFor, message: 'it waits' }) as const)
    await updateRun(sql, 'run-2', 'waiting', 3, { waiting: [pause!, approval!] })
    await updateRun(sql, 'run-4', 'waiting', 3, { waiting: [pause!] })
    const only = async (selection?: RunSelection): Promise<string[]> => (await listRuns(sql, { environment: 'sandbox', limit: 9, ...(selection === undefined ? {} : { only: selection }) })).map((one) => one.id)
    expect([await only(), await only('open'), await only('to-approve')]).toEqual([['run-4', 'run-3', 'run-2'], ['run-4', 'run-2'], ['run-2']])
    // One that is planned again has what it waited for no longer before it.
    await updateRun(sql, 'run-2', 'planning', 4)
    expect(await only('to-approve')).toEqual([])
    // Who failed may have changed something; who asks probes has not.
    for (const [id, kind, state] of [['run-6', 'verify', 'succeeded'], ['run-7', 'change', 'cancelled'], ['run-8', 'change', 'delivering']] as const) {
      await createRun(sql, { ...run(id, 'sandbox'), kind })
      await updateRun(sql, id, state, 5)
    }
    expect(await only('begun')).toEqual(['run-8', 'run-3'])
  })
})
