import { beforeEach, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { approve, listRuns, updateRun } from '#store/runs.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { approvalsOf } from '#store/runs.ts'
import { describeStores } from '../../../test/stores.ts'
import type { Parts } from '../parts.ts'
import { beginScheduled } from './schedule.ts'

const hour = 3_600_000

describeStores('A scheduled operation', ({ open }) => {
  let store: Store
  let clock: FakeClock
  let schedule: string | undefined

  beforeEach(async () => {
    store ??= await open()
    await store.script('delete from operation_schedule; delete from approval; delete from run; delete from snapshot;')
    clock = new FakeClock(Date.parse('2026-01-01T00:30:00Z'))
    schedule = '0 * * * *'
    await saveSnapshot(store, { id: 's', commits: {} }, clock.now())
  })

  const come = async (): Promise<string | undefined> => {
    const operation = { metadata: { name: 'drill' }, spec: { about: 'Rehearses.', environments: ['production'], schedule } }
    const parts = { sql: store, clock, configurations: { of: async () => ({ environments: new Map([['production', {}]]), operations: new Map([['drill', operation]]) }) } } as unknown as Parts
    const answer = await beginScheduled(parts, 'production', 'drill')
    return answer === undefined ? undefined : new Date(answer.again).toISOString().slice(11, 16)
  }
  const runs = () => listRuns(store, { environment: 'production', limit: 10 })

  test('is begun when its time has come, once, and not before', async () => {
    expect(await come()).toBe('01:00')
    expect(await runs()).toEqual([])
    clock.advance(hour / 2)
    expect(await come()).toBe('02:00')
    expect(await come()).toBe('02:00')
    expect(await runs()).toMatchObject([{ kind: 'operation', state: 'planning', actor: 'plumbline', startedBy: null, operation: { name: 'drill', from: null, slot: Date.parse('2026-01-01T01:00:00Z') } }])
  })

  test('makes up for what was missed once', async () => {
    await come()
    clock.advance(5 * hour)
    expect(await come()).toBe('06:00')
    expect(await runs()).toHaveLength(1)
  })

  test('is not begun while a run of it is open, or stopped in the middle of a step', async () => {
    await come()
    clock.advance(hour)
    await come()
    clock.advance(hour)
    await come()
    expect(await runs()).toHaveLength(1)
    const [first] = await runs()
    await updateRun(store, first?.id ?? '', 'interrupted', clock.now())
    clock.advance(hour)
    expect(await come()).toBe('04:00')
    expect(await runs()).toHaveLength(1)
  })

  test('takes the approvals of the run before along: they count where the document is the same', async () => {
    await come()
    clock.advance(hour)
    await come()
    const [first] = await runs()
    await approve(store, first?.id ?? '', { principal: 'ada', planDigest: 'sha256:1', reason: 'yes', objects: [], at: clock.now() })
    await updateRun(store, first?.id ?? '', 'succeeded', clock.now())
    clock.advance(hour)
    await come()
    const [second] = await runs()
    expect(second?.id).not.toBe(first?.id)
    expect(await approvalsOf(store, second?.id ?? '')).toMatchObject([{ principal: 'ada', planDigest: 'sha256:1' }])
  })

  test('follows another schedule from then on, and none ends it', async () => {
    expect(await come()).toBe('01:00')
    schedule = '15 * * * *'
    expect(await come()).toBe('01:15')
    clock.advance(hour / 2)
    await come()
    expect(await runs()).toEqual([])
    schedule = undefined
    expect(await come()).toBeUndefined()
    schedule = '0 * * * *'
    expect(await come()).toBe('02:00')
    expect(await runs()).toEqual([])
  })
})
