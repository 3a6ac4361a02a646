import { expect, test } from 'vitest'
import { describeStores } from '../../test/stores.ts'
import { createRun, findRun, openRuns, updateRun } from './runs.ts'
import type { NewRun } from './runs.ts'

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

  test('open runs are those that have not ended, the oldest first', async () => {
    const sql = await store()
    for (const id of ['run-2', 'run-3', 'run-4']) await createRun(sql, run(id, 'sandbox'))
    await updateRun(sql, 'run-3', 'failed', 2)
    expect((await openRuns(sql, 'sandbox')).map((one) => one.id)).toEqual(['run-2', 'run-4'])
    expect(await openRuns(sql, 'production')).toEqual([])
  })
})
