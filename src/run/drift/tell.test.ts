import { beforeEach, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { Finding, FindingEvent } from '#model/finding.ts'
import { newKeyPair, publicKeyOf, signerOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { findingOf } from '#drift/testing.ts'
import { eventsAfter } from '#store/events.ts'
import { addFindingChanges, findingNow, saveFindings } from '#store/findings.ts'
import { chainPage } from '#store/records.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { describeStores } from '../../../test/stores.ts'
import type { Parts } from '../parts.ts'
import { tellDrift } from './tell.ts'

const keys = newKeyPair()
const minute = 60_000

describeStores('What follows from findings', ({ store: openStore }) => {
  let store: Store
  let clock: FakeClock
  let parts: Parts
  beforeEach(async () => {
    store = await openStore()
    await store.script('truncate finding, finding_change, drift_told, snapshot, event, record, checkpoint, chain, work, notification, message cascade')
    // Noon of a Monday.
    clock = new FakeClock(Date.parse('2026-11-02T12:00:00Z'))
    parts = await partsWith({})
  })
  const partsWith = async (drift: object): Promise<Parts> => {
    const document = environmentSchema({}).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'staging' }, spec: { tier: 'staging', targets: {}, drift } })
    const configuration = { environments: new Map([['staging', document]]), modules: new Map(), workspace: { spec: { repositories: {} } } }
    await saveSnapshot(store, { id: 'snapshot', commits: {} }, clock.now())
    return { sql: store, clock, signer: signerOf(keys.privatePem), redactor: { redact: (text: string) => text }, configurations: { of: async () => configuration }, log: () => {} } as unknown as Parts
  }
  const happen = async (what: FindingEvent, more: Partial<Finding> = {}): Promise<void> => {
    const finding = findingOf({ updatedAt: clock.now(), ...more })
    await saveFindings(store, [finding], clock.now())
    await addFindingChanges(store, [{ finding: finding.id, environment: 'staging', at: clock.now(), what, actor: 'plumbline', reason: 'it drifted', body: finding }])
  }
  const digests = async () => (await eventsAfter(store, 0, 1000)).filter(({ kind }) => kind === 'drift').map(({ data }) => data)

  test('each change is on the chain, once, and the chain verifies', async () => {
    await happen('opened')
    await happen('resolved', { state: 'resolved', resolvedAt: clock.now() })
    await tellDrift(parts, 'staging')
    await tellDrift(parts, 'staging')
    const page = await chainPage(store, 'staging', 0)
    expect(page?.records.map((text) => (JSON.parse(text) as { predicate: object }).predicate)).toMatchObject([
      { finding: 'f-1', decision: 'opened', cause: 'manual', by: 'kubectl-edit', actor: 'plumbline', fields: [{ path: 'spec.replicas', declared: 2, live: 5 }] },
      { finding: 'f-1', decision: 'resolved' },
    ])
    expect(page && verifyChain(page, [publicKeyOf(keys.publicPem)])).toMatchObject({ records: 2, sealed: 2, defects: [] })
  })

  test('people are told of the first at once, and then of all that there is, once a digest', async () => {
    await happen('opened')
    expect(await tellDrift(parts, 'staging')).toBeUndefined()
    expect(await digests()).toMatchObject([{ environment: 'staging', opened: 1, standing: 1 }])
    for (let more = 2; more <= 5; more += 1) await happen('opened', { id: `f-${more}`, object: `core/ConfigMap/shop/${more}` })
    await happen('resolved', { state: 'resolved', resolvedAt: clock.now() })
    expect(await tellDrift(parts, 'staging')).toEqual({ again: clock.now() + 10 * minute })
    expect(await digests()).toHaveLength(1)
    clock.advance(10 * minute)
    await tellDrift(parts, 'staging')
    expect((await digests()).slice(1)).toMatchObject([{ opened: 4, resolved: 1, standing: 4 }])
  })

  test('in quiet times nobody is told: afterwards', async () => {
    parts = await partsWith({ quiet: [{ from: '11:00', to: '14:00' }] })
    await happen('opened')
    expect(await tellDrift(parts, 'staging')).toEqual({ again: Date.parse('2026-11-02T14:00:00Z') })
    expect(await digests()).toEqual([])
    clock.advance(120 * minute)
    await tellDrift(parts, 'staging')
    expect(await digests()).toHaveLength(1)
  })

  test('what was accepted until now is open again, and what its policy says is tried at once', async () => {
    await happen('accepted', { state: 'accepted', decision: 'revert', accepted: { by: 'kim', reason: 'load test', until: clock.now() + minute } })
    expect(await tellDrift(parts, 'staging')).toEqual({ again: clock.now() + minute })
    clock.advance(minute)
    await tellDrift(parts, 'staging')
    // Nothing was delivered here: that there is no way back says that it was looked for.
    expect(await findingNow(store, 'f-1')).toMatchObject({ state: 'open', accepted: null, failure: { code: 'revert-impossible' } })
  })

  test('what is held is told again, day by day', async () => {
    await happen('opened', { state: 'held', decision: 'hold' })
    const day = 1440 * minute
    expect(await tellDrift(parts, 'staging')).toEqual({ again: clock.now() + day })
    clock.advance(day)
    expect(await tellDrift(parts, 'staging')).toEqual({ again: clock.now() + day })
    expect(await digests()).toMatchObject([{ opened: 1, held: 1 }, { opened: 0, held: 1 }])
  })
})
