import { beforeEach, expect, test } from 'vitest'
import { findingOf } from '#drift/testing.ts'
import { systemClock } from '#lib/clock.ts'
import type { Finding, FindingState } from '#model/finding.ts'
import { eventsAfter } from '#store/events.ts'
import { changesOfFinding, findingNow, saveFindings } from '#store/findings.ts'
import type { Store } from '#store/sql.ts'
import { describeStores } from '../../../test/stores.ts'
import { takeAudit } from './audit.ts'
import type { Target } from './targets.ts'
import { FakePlace, holdMap, map, watchedParts } from './testing.ts'

describeStores('an audit source that speaks late', ({ store: openStore }) => {
  let store: Store
  const now = systemClock.now()
  const told = async (): Promise<void> => {
    const place = new FakePlace()
    const entry = { id: 'audit-1', object: map('a'), verb: 'patch', user: 'kim', manager: 'kubectl-edit', at: now } as const
    const via = { ...place.driver(), audited: async () => [entry] }
    await takeAudit(await watchedParts(store, place), { environment: 'staging', target: 'cluster', driver: 'fake', config: {}, via } as unknown as Target, [{}], new AbortController().signal)
  }
  const found = async (state: FindingState): Promise<void> => {
    const traces = [{ of: 'sha256:5', sought: { verbs: ['update', 'patch'], owners: [{ manager: 'kubectl-edit', at: now }], seenAt: now }, write: null }] as const
    const finding: Finding = findingOf({ object: map('a'), state, traces, onset: now, updatedAt: now, resolvedAt: state === 'resolved' ? now : null })
    await saveFindings(store, [finding], now)
  }
  beforeEach(async () => {
    store = await openStore()
    await store.script('truncate finding, finding_change, inventory, event, audit_entry, snapshot, work cascade')
    await holdMap(store, 'a')
  })

  test('names who did what was reverted meanwhile, once', async () => {
    await found('resolved')
    await told()
    await told()
    expect(await findingNow(store, 'f-1')).toMatchObject({ state: 'resolved', person: 'kim' })
    expect(await changesOfFinding(store, 'f-1', 10)).toMatchObject([{ what: 'attributed', actor: 'plumbline', reason: 'an audit source names kim' }])
  })

  test('has what still stands looked at again, and decides nothing on it', async () => {
    await found('open')
    await told()
    expect(await findingNow(store, 'f-1')).toMatchObject({ state: 'open', person: null })
    expect((await eventsAfter(store, 0, 100)).filter(({ kind }) => kind === 'audit')).toMatchObject([{ data: { objects: [map('a')] } }])
  })
})
