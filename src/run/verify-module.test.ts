import { beforeEach, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import { Redactor } from '#lib/redact.ts'
import type { Probe } from '#probes/probe.ts'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import { pinType, policyType, statementOf } from '#record/statement.ts'
import { eventsAfter, lastEvent } from '#store/events.ts'
import { environmentItself } from '#model/probe-state.ts'
import { openSteps, startStep } from '#store/operations.ts'
import { startPause } from '#store/pauses.ts'
import { probeStates, saveProbeStates } from '#store/probe-states.ts'
import { createRun, openJournal, startEffect, updateRun } from '#store/runs.ts'
import type { NewRun } from '#store/runs.ts'
import { LookLog } from '#store/samples.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { saveStatus, statuses } from '#store/statuses.ts'
import type { StatusRow } from '#store/statuses.ts'
import type { Effect } from '#model/plan.ts'
import type { Verdict } from '#model/probe.ts'
import { describeStores } from '../../test/stores.ts'
import { appendToChain } from './chain.ts'
import type { Claim } from './claim.ts'
import { lookAtOnce } from './look-again.ts'
import type { Parts } from './parts.ts'
import { record } from './record-run.ts'
import { tellVerdict } from './tell-verdict.ts'
import { Turns } from './turns.ts'
import { verifyModule } from './verify-module.ts'

const minute = 60_000
const claim: Claim = { signal: new AbortController().signal, fence: async () => {}, assertLease: async () => {} }
const row: StatusRow = {
  environment: 'production', module: 'web', repository: 'shop', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'unknown', readinessOnly: false,
  intent: 'i', delivered: 'i', snapshot: 's', snapshotSeq: 1, run: 'run-1', verifiedSince: null, failure: null, verifiedAt: null, staleAt: null, movedAt: null, movedWhy: null, updatedAt: 0,
}

describeStores('A module that was delivered is looked at again and again', ({ open }) => {
  let store: Store
  let clock: FakeClock
  let verdicts: Record<string, Verdict>
  let asked: string[]
  /** How long each answer takes (ms). */
  let takes: number

  const gauge: Probe<unknown> = {
    kind: 'gauge', needs: [], schema: undefined as never,
    sample: async (_call, config) => {
      const { id } = config as { id: string }
      asked.push(id)
      clock.advance(takes)
      return { signal: 'count', target: id, verdict: verdicts[id] ?? 'passed', message: `${id} ${verdicts[id] ?? 'passed'}`, collectedAt: clock.now(), durationMs: 1 }
    },
  }
  const probe = (id: string) => ({ name: id, settle: 0, within: 0, every: 1_000, timeout: 1_000, need: 'all', kind: 'gauge', config: { id }, across: [] })

  function partsOf(ids: readonly string[] = ['a', 'b'], own: readonly string[] = []): Parts {
    const module = (name: string, dependsOn: string[]) => ({ config: { metadata: { name }, spec: { source: { path: '.' }, probes: ids.map(probe), verifyEvery: minute, probeSets: [], dependsOn } }, repository: 'shop', file: 'm', folder: '.' })
    const environment = { metadata: { name: 'production' }, spec: { variables: {}, addresses: {}, reach: [], targets: {}, verifyEvery: 5 * minute, probes: own.map(probe), changeProbes: ['whole'].map(probe) } }
    const configuration = {
      workspace: { spec: { repositories: { shop: { allow: 'everything' } } } },
      environments: new Map([['production', environment]]),
      modules: new Map([['web', module('web', ['database'])], ['database', module('database', [])]]),
    }
    const signer = { sign: () => ({ payloadType: '', payload: '', signatures: [] }) }
    return { sql: store, clock, turns: new Turns(), probes: [gauge], configurations: { of: async () => configuration }, signer, redactor: { redact: (text: string) => text } } as unknown as Parts
  }

  const look = async (parts = partsOf(), module = 'web'): Promise<number | undefined> => (await verifyModule(parts, { log: new LookLog(store) }, 'production', module, claim))?.again
  const status = async (): Promise<StatusRow | undefined> => (await statuses(store, 'production', 'web'))[0]
  const records = async (): Promise<JsonObject[]> => (await store.query<{ text: string }>('select text from record order by seq')).map(({ text }) => (JSON.parse(text) as { predicate: JsonObject }).predicate)
  const told = async (): Promise<string[]> => (await store.query<{ kind: string; body: { message: string } }>('select kind, body from notification order by seq')).map(({ kind, body }) => `${kind}: ${body.message}`)

  beforeEach(async () => {
    store ??= await open()
    await store.script('delete from sample; delete from probe_state; delete from notification; delete from module_status; delete from record; delete from checkpoint; delete from chain; delete from effect; delete from run; delete from snapshot;')
    clock = new FakeClock()
    verdicts = {}
    asked = []
    takes = 0
    await saveSnapshot(store, { id: 's', commits: {} }, clock.now())
    await saveStatus(store, row)
    const change: NewRun = { id: 'run-1', environment: 'production', kind: 'change', snapshot: 's', actor: 'a', reason: 'Three of each', ticket: null, startedBy: null, changes: [], modules: { database: { intent: 'i', changed: true } }, createdAt: clock.now() }
    await createRun(store, change)
    const effect = { key: 'apps/Deployment/x/y', module: 'database' } as Effect
    await openJournal(store, 'run-1', [effect])
    await startEffect(store, 'run-1', effect, clock.now())
    await updateRun(store, 'run-1', 'succeeded', clock.now())
    clock.advance(1_000)
  })

  test('each probe once, in its own moment, and not before', async () => {
    const due = await look()
    expect(asked.sort()).toEqual(['a', 'b'])
    expect(due).toBeGreaterThan(clock.now())
    expect(due).toBeLessThanOrEqual(clock.now() + minute)
    expect(await look()).toBe(due)
    expect(asked).toHaveLength(2)
    clock.advance((due ?? 0) - clock.now())
    await look()
    expect(asked).toHaveLength(4)
    expect(await status()).toMatchObject({ verification: 'passed', verifiedAt: clock.now(), staleAt: clock.now() + 2 * minute, updatedAt: 0 })
    expect(await store.query('select probe, verdict from sample order by at, probe')).toEqual(['a', 'b', 'a', 'b'].map((one) => ({ probe: one, verdict: 'passed' })))
  })

  test('what takes long to ask counts for as much longer: the next look takes as long', async () => {
    takes = minute
    await look()
    expect(await status()).toMatchObject({ verification: 'passed', verifiedAt: clock.now(), staleAt: clock.now() + 2 * minute + 2 * minute })
  })

  test('a verdict that changes has an onset, what lies just before, one event, one record and one message', async () => {
    const due = await look()
    const recorded = (await records()).length
    clock.advance((due ?? 0) - clock.now())
    verdicts = { a: 'failed' }
    const before = await lastEvent(store)
    const again = await look()
    expect(again).toBeLessThanOrEqual(clock.now() + 6_300)
    expect(await status()).toMatchObject({ verification: 'failed', verifiedSince: null })
    const cause = { kind: 'run', id: 'run-1', about: 'Three of each', at: Date.parse('2026-01-01T00:00:00Z') }
    expect(await probeStates(store)).toMatchObject([{ probe: 'a', verdict: 'failed', onset: clock.now(), lastBefore: Date.parse('2026-01-01T00:00:01Z'), causes: [cause], flips: [{ from: 'passed', verdict: 'failed' }] }, { probe: 'b', verdict: 'passed', onset: Date.parse('2026-01-01T00:00:01Z') }])
    expect((await eventsAfter(store, before, 100)).filter((event) => event.kind === 'verdict')).toHaveLength(1)
    expect((await records()).slice(recorded)).toMatchObject([{ module: 'web', delivery: 'synced', from: 'passed', to: 'failed', onset: clock.now(), before: [cause], message: 'web in production: delivery synced, verification failed, and was passed (a failed: a failed)' }])
    expect(await told()).toEqual(['verdict: web in production: delivery synced, verification failed, and was passed (a failed: a failed)'])
    expect(await store.query('select body from notification')).toMatchObject([{ body: { delivery: 'synced', from: 'passed', to: 'failed' } }])
    // Still so: nothing more is said.
    clock.advance((again ?? 0) - clock.now())
    const next = await look()
    expect([(await records()).length, (await told()).length]).toEqual([recorded + 1, 1])
    verdicts = {}
    clock.advance((next ?? 0) - clock.now())
    await look()
    expect(await status()).toMatchObject({ verification: 'passed', verifiedSince: clock.now() })
    expect((await told()).at(-1)).toBe('verdict: web in production: delivery synced, verification passed, and was failed (a passed: a passed)')
  })

  test('a finding of what it depends on, newer than the last run, lies nearer', async () => {
    const due = await look()
    const at = clock.now() + 5
    const body = { module: 'database', message: 'kubectl-edit changed spec.replicas' }
    await store.query(`insert into finding (id, environment, place, object, cause, module, state, updated_at, body) values ('f-1', 'production', 'p', 'o', 'manual', 'database', 'open', $1, $2)`, [at, body])
    await store.query(`insert into finding_change (finding, environment, at, what, actor, reason, body) values ('f-1', 'production', $1, 'opened', 'plumbline', '', $2)`, [at, body])
    clock.advance((due ?? 0) - clock.now())
    verdicts = { a: 'failed' }
    await look()
    expect((await probeStates(store))[0]?.causes).toMatchObject([{ kind: 'run', id: 'run-1' }, { kind: 'finding', id: 'f-1', at, about: 'kubectl-edit changed spec.replicas' }])
    await store.script('delete from finding_change; delete from finding;')
  })

  test('what lies long before the last good sample is not named: nothing, where nothing else changed', async () => {
    const due = (await look()) ?? 0
    clock.advance(due - clock.now())
    const next = (await look()) ?? 0
    clock.advance(next - clock.now())
    await look()
    clock.advance(5 * minute)
    verdicts = { a: 'failed' }
    await look()
    expect((await probeStates(store))[0]).toMatchObject({ verdict: 'failed', causes: [] })
  })

  test('a policy, a pin, a pause and a step of an operation that lie just before are named, the nearest last; those of others are not', async () => {
    const parts = { ...partsOf(), redactor: new Redactor(), signer: signerOf(newKeyPair().privatePem) } as unknown as Parts
    const due = await look(parts)
    const at = clock.now()
    const append = (environment: string, type: typeof policyType | typeof pinType, predicate: object) => store.transaction((tx) => appendToChain(tx, parts, environment, (chain) => statementOf(type, { chain, actor: 'ada', reason: 'why', snapshot: 's', run: null, ...predicate } as never, { name: 'it' }) as never, at))
    await append('production', policyType, { changes: ['reach of orders'], run: 'run-9', at: at + 1 })
    await append('production', pinType, { module: 'database', decision: 'pinned', by: 'person', ticket: null, at: at + 2 })
    await append('production', pinType, { module: 'elsewhere', decision: 'pinned', by: 'person', ticket: null, at: at + 3 })
    await append('staging', policyType, { changes: ['reach of all'], at: at + 3 })
    await startPause(store, { id: 'pause-1', environment: 'production', module: null, reason: 'the night', by: 'ada', createdAt: at + 4, until: at + minute })
    await createRun(store, { id: 'run-op', environment: 'production', kind: 'operation', snapshot: 's', actor: 'a', reason: 'a drill', ticket: null, startedBy: null, changes: [], modules: {}, operation: { name: 'failover', from: null, slot: null }, createdAt: at })
    await openSteps(store, 'run-op', [{ name: 'pre', kind: 'pre', state: 'pending' }, { name: 'promote', kind: 'sql', state: 'pending' }])
    await startStep(store, 'run-op', { position: 1, name: 'promote' }, at + 5)
    await updateRun(store, 'run-op', 'succeeded', at + 6)
    clock.advance((due ?? 0) - clock.now())
    verdicts = { a: 'failed' }
    await look(parts)
    expect((await probeStates(store))[0]?.causes.map(({ kind, id, about }) => [kind, id, about])).toEqual([
      ['run', 'run-1', 'Three of each'],
      ['policy', 'run-9', 'the policy changed: reach of orders'],
      ['context', expect.stringMatching(/^record \d+$/), 'pinned to s: why'],
      ['pause', 'pause-1', 'paused: the night'],
      ['run', 'run-op', 'step promote of the operation failover: a drill'],
    ])
    await store.script('delete from pause; delete from operation_step;')
  })

  test('a delivery that did not verify is told by its verdict alone, and by the run where no verdict changed', async () => {
    const parts = partsOf()
    const ended = async (id: string): Promise<void> => {
      await createRun(store, { id, environment: 'production', kind: 'change', snapshot: 's', actor: 'a', reason: 'web 2.0', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: clock.now() })
      await store.transaction(async (tx) => {
        if (id === 'run-2') await tellVerdict(tx, parts, { environment: 'production', module: 'web', from: 'passed', to: 'failed', changes: [], results: [], snapshot: 's', run: id, now: clock.now() })
        await record(tx, parts, id, 'failed', null, clock.now())
      })
    }
    await ended('run-2')
    // The next one mends nothing: its verdict is the one before it.
    await ended('run-3')
    expect(await told()).toEqual(['verdict: web in production: delivery synced, verification failed, and was passed', 'run-failed: run-3 (web 2.0) failed: what it delivered is not verified'])
  })

  test('a run that a person cancels has the span of its whole, though nobody was at work on it', async () => {
    await createRun(store, { id: 'run-2', environment: 'production', kind: 'change', snapshot: 's', actor: 'a', reason: 'web 2.0', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: clock.now() })
    const whole: unknown[] = []
    const parts = { ...partsOf(), tracer: { whole: (...told: unknown[]) => whole.push(told) } } as unknown as Parts
    await store.transaction((tx) => record(tx, parts, 'run-2', 'cancelled', null, clock.now() + 5))
    expect(whole).toEqual([['run-2', clock.now(), clock.now() + 5, { environment: 'production', kind: 'change', state: 'cancelled', snapshot: 's' }, 'cancelled']])
  })

  test('what nobody could find out any more stands in the record as not known', async () => {
    const due = await look()
    clock.advance((due ?? 0) - clock.now())
    verdicts = { b: 'unknown' }
    await look()
    expect((await records()).at(-1)).toMatchObject({ module: 'web', to: 'unknown', unknown: [{ code: 'probe-unknown', subject: 'probe b of web', message: 'b unknown' }] })
  })

  test('what flaps is named once, and then recorded, but not said each time', async () => {
    const parts = partsOf(['a'])
    for (let turn = 0; turn < 10; turn += 1) {
      verdicts = { a: turn % 2 === 0 ? 'passed' : 'failed' }
      const due = await look(parts)
      clock.advance(Math.max(0, (due ?? 0) - clock.now()))
    }
    const kinds = (await told()).map((line) => line.split(':')[0])
    expect(kinds).toEqual(['verdict', 'verdict', 'verdict', 'verdict', 'verdict', 'flapping'])
    expect((await records()).filter((one) => one['flapping'] === true)).toHaveLength(4)
    expect((await probeStates(store))[0]?.flips).toHaveLength(9)
    // Once it has come to rest, what it says by then is told: the last turn was not.
    verdicts = { a: 'passed' }
    for (let turn = 0; turn < 3; turn += 1) {
      clock.advance(40 * minute)
      await look(parts)
    }
    expect((await told()).slice(6)).toEqual(['verdict: web in production no longer changes its verdict again and again: delivery synced, verification passed, and was last told as failed'])
  })

  test('at once when something changed underneath, and never while a run is at work on it', async () => {
    await look()
    clock.advance(1_000)
    await store.transaction((tx) => lookAtOnce(tx, { clock }, 'production', ['web'], 'database changed (run-2)'))
    expect(await status()).toMatchObject({ movedAt: clock.now(), movedWhy: 'database changed (run-2)' })
    await store.query(`update run set state = 'verifying', ended_at = null, modules = '{"web": {"intent": "i", "changed": true}}' where id = 'run-1'`)
    expect(await look()).toBe(clock.now() + minute)
    expect(asked).toHaveLength(2)
    await store.query(`update run set state = 'succeeded', ended_at = 1 where id = 'run-1'`)
    clock.advance(1)
    await look()
    expect(asked).toHaveLength(4)
    expect(await status()).toMatchObject({ verification: 'passed', movedAt: null, movedWhy: null })
  })

  test('a run that begins while probes are asked decides in its place', async () => {
    await look()
    clock.advance(2 * minute)
    const began: Probe<unknown> = {
      ...gauge,
      sample: async (call, config) => {
        await store.query(`update run set state = 'delivering', ended_at = null, modules = '{"web": {"intent": "i", "changed": true}}' where id = 'run-1'`)
        return { ...(await gauge.sample(call as never, config as never)), verdict: 'failed' }
      },
    }
    await look({ ...partsOf(), probes: [began] })
    expect(await status()).toMatchObject({ verification: 'passed' })
  })

  test('an environment itself has probes of its own, and is looked at again when a run has ended', async () => {
    const parts = partsOf([], ['dns'])
    const due = await look(parts, environmentItself)
    expect(due).toBeGreaterThan(clock.now())
    expect(due).toBeLessThanOrEqual(clock.now() + 5 * minute)
    expect(await probeStates(store)).toMatchObject([{ module: environmentItself, probe: 'dns', verdict: 'passed' }])
    await store.query(`update run set ended_at = $1 where id = 'run-1'`, [clock.now() + 10])
    clock.advance(1_000)
    verdicts = { dns: 'failed' }
    await look(parts, environmentItself)
    expect(await told()).toEqual(['verdict: production itself: verification failed, and was passed (dns failed: dns failed)'])
  })

  test('a change as a whole that does not pass is asked until it does', async () => {
    const parts = partsOf([], [])
    expect(await look(parts, environmentItself)).toBeUndefined()
    const sample = { signal: 'count' as const, target: 'whole', verdict: 'failed' as const, message: 'no', collectedAt: clock.now(), durationMs: 1 }
    await saveProbeStates(store, [{ environment: 'production', module: environmentItself, probe: 'change/whole', kind: 'gauge', verdict: 'failed', onset: 1, askedAt: clock.now(), lastBefore: null, causes: [], flips: [], sample }])
    const due = await look(parts, environmentItself)
    clock.advance((due ?? 0) - clock.now())
    await look(parts, environmentItself)
    expect(await probeStates(store)).toMatchObject([{ probe: 'change/whole', verdict: 'passed', onset: clock.now() }])
    expect(await look(parts, environmentItself)).toBeUndefined()
  })

  test('what is not delivered, or has no probes, is not looked at', async () => {
    expect(await look(partsOf([]))).toBeUndefined()
    await saveStatus(store, { ...row, delivered: null })
    expect(await look()).toBeUndefined()
    expect(asked).toEqual([])
  })
})
