import { afterAll, beforeAll, expect, test } from 'vitest'
import { kubernetes } from '#drivers/kubernetes/kubernetes.ts'
import type { Driver, DriverCall } from '#drivers/driver.ts'
import { systemClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { Effect, Held } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { makePlan } from '#plan/plan.ts'
import { heldAt, heldBy } from '#store/inventory.ts'
import { openStore } from '#store/open.ts'
import { createRun, journal, openJournal, startEffect } from '#store/runs.ts'
import type { Store } from '#store/sql.ts'
import { desiredOf, kubernetesPlace, type KubernetesPlace } from '../../test/kubernetes-place.ts'
import { layEmptyStore } from '../../test/empty-store.ts'
import { emptyPlace } from '../../test/stores.ts'
import { applyEffect } from './apply-effect.ts'
import { planModule } from './plan-module.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Bound, Work } from './work.ts'

const driver = kubernetes as unknown as Driver
let cluster: KubernetesPlace
let store: Store
let stop: () => Promise<void>
beforeAll(async () => {
  const at = await emptyPlace('pglite')
  if ('dir' in at.place) layEmptyStore(at.place.dir)
  stop = at.stop
  store = await openStore(at.place, systemClock)
  cluster = await kubernetesPlace()
})
afterAll(async () => {
  await cluster?.stop()
  await store?.close()
  await stop?.()
})

const configMap = (name: string, value: string): Desired => desiredOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: cluster.namespace }, data: { a: value } })
const secret = (name: string, value: string): Desired => desiredOf({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: cluster.namespace }, stringData: { a: value } })
const environment = 'test'
const place = 'here'

function intentOf(name: string, desired: readonly Desired[]): ModuleIntent {
  const shown = desired.map((one) => driver.declare(cluster.call, name, one))
  return { name, desired, shown, config: { spec: { track: 'declarative', dependsOn: [], takeOver: false } } } as unknown as ModuleIntent
}

/** A run's work on one module, by a process that a test may take the answers from. */
async function at(id: string, name: string, { dry = false, call = cluster.call }: { dry?: boolean; call?: DriverCall } = {}) {
  await createRun(store, { id, environment, kind: 'change', snapshot: 's', actor: '', reason: '', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: 0 }).catch(() => {})
  const claim = { signal: call.signal, fence: async () => {}, assertLease: async () => {} }
  const work = { parts: { sql: store, clock: systemClock, log: () => {} }, claim: { ...claim, signal: new AbortController().signal }, run: { id, environment }, dry } as unknown as Work
  const bound: Bound = { driver, call, target: 'cluster', place: async () => place }
  const plan = async (desired: readonly Desired[]): Promise<{ effects: Effect[]; rows: Held[] }> => {
    const { module, rows } = await planModule(work, bound, name, intentOf(name, desired), await heldBy(store, environment, name))
    const { steps } = makePlan({ environment, snapshot: 's', modules: [module], others: new Set(), declaredByOthers: [], held: [...new Map(rows.map((row) => [row.key, row])).values()] })
    return { effects: steps.flatMap((step) => step.waves.flat()), rows }
  }
  const carryOut = async (effect: Effect, desired: readonly Desired[]) => {
    await openJournal(store, id, [effect])
    const [held] = await heldAt(store, place, [effect.key])
    const written = (await journal(store, id)).find((row) => row.key === effect.key)
    return applyEffect(work, bound, effect, desired.find(({ key }) => key === effect.key), held, written, intentOf(name, desired))
  }
  const outcome = async (key: string) => (await journal(store, id)).find((row) => row.key === key)?.outcome
  return { plan, carryOut, outcome }
}

/** A call to a cluster that carries out what it is asked, or not, and never answers; until the deadline. */
function unanswering(carriesOut: boolean): DriverCall {
  const deadline = new AbortController()
  const away = new Failure({ code: 'kubernetes-unreachable', subject: 'cluster', message: 'no answer', retry: 'later' })
  let isAway = false
  const client = cluster.call.clients.kubernetes
  return {
    ...cluster.call,
    signal: deadline.signal,
    clients: {
      kubernetes: {
        ...client,
        get: async (...args) => (isAway ? Promise.reject(away) : client.get(...args)),
        apply: async (...args) => {
          if (carriesOut) await client.apply(...args)
          isAway = true
          setImmediate(() => deadline.abort(new Error('its time is over')))
          throw away
        },
      },
    },
  }
}

async function begun(): Promise<string[]> {
  return (await store.query<{ key: string }>('select key from begun')).map(({ key }) => key)
}

test('a creation whose answer never came is ours: the next plan takes it into the inventory, and changes nothing', async () => {
  for (const desired of [[configMap('lost', '1')], [secret('lost-secret', 'hush')]]) {
    const [{ key }] = desired as [Desired]
    const first = await at(`first ${key}`, 'web', { call: unanswering(true) })
    const [effect] = (await first.plan(desired)).effects as [Effect]
    expect(effect.action).toBe('created')
    expect(await first.carryOut(effect, desired)).toMatchObject({ code: 'kubernetes-unreachable' })
    expect(await first.outcome(key)).toMatchObject({ state: 'unknown' })
    expect(await heldAt(store, place, [key])).toEqual([])
    expect(await begun()).toEqual([key])

    // Who only asks is told the same, and writes nothing down.
    expect((await (await at('asked', 'web', { dry: true })).plan(desired)).effects.find((one) => one.key === key)).toMatchObject({ action: 'unchanged' })
    expect(await begun()).toEqual([key])
    const next = await at(`next ${key}`, 'web')
    expect((await next.plan(desired)).effects.find((one) => one.key === key)).toMatchObject({ action: 'unchanged', changes: [] })
    expect(await heldAt(store, place, [key])).toMatchObject([{ module: 'web', environment, desired: effect.desired, run: `first ${key}` }])
    expect(await begun()).toEqual([])
  }
  expect(JSON.stringify(await store.query('select * from effect'))).not.toMatch(/hush|aHVzaA/)
})

test('one that was taken back in Git meanwhile is recognised, and deleted', async () => {
  const desired = [configMap('taken-back', '1')]
  const first = await at('back-1', 'back', { call: unanswering(true) })
  const [effect] = (await first.plan(desired)).effects as [Effect]
  await first.carryOut(effect, desired)
  const next = await at('back-2', 'back')
  const [removal] = (await next.plan([])).effects as [Effect]
  expect(removal).toMatchObject({ key: effect.key, action: 'deleted' })
  expect(await next.carryOut(removal, [])).toBeUndefined()
  expect(await cluster.read(desired[0]?.body ?? {})).toBeUndefined()
})

test('one that did not happen is made by the next run, and what somebody made meanwhile stays theirs', async () => {
  const desired = [configMap('never', '1'), configMap('theirs', '1')]
  const first = await at('never-1', 'never', { call: unanswering(false) })
  const planned = await first.plan(desired)
  const [theirs, never] = planned.effects.toSorted((a, b) => (a.key < b.key ? 1 : -1)) as [Effect, Effect]
  await first.carryOut(never, desired)
  await (await at('never-1', 'never', { call: unanswering(false) })).carryOut(theirs, desired)
  // With our label and our very values, but by another hand.
  await cluster.write({ ...desired[1]?.body, metadata: { name: 'theirs', namespace: cluster.namespace, labels: { 'plumbline.dev/module': 'never' } } }, 'somebody')
  const next = await at('never-2', 'never')
  const effects = (await next.plan(desired)).effects
  expect(effects.find((one) => one.key === theirs.key)?.refused).toMatchObject({ code: 'object-exists' })
  const again = effects.find((one) => one.key === never.key) as Effect
  expect(again.action).toBe('created')
  expect(await next.carryOut(again, desired)).toBeUndefined()
  expect(await heldAt(store, place, [never.key])).toMatchObject([{ run: 'never-2' }])
})

test('an object that other values were applied to under our name is not the one that we began to make', async () => {
  const desired = [configMap('other-values', '1')]
  const first = await at('other-1', 'other', { call: unanswering(false) })
  const [effect] = (await first.plan(desired)).effects as [Effect]
  await first.carryOut(effect, desired)
  const body = { ...desired[0]?.body, metadata: { name: 'other-values', namespace: cluster.namespace, labels: { 'plumbline.dev/module': 'other' } }, data: { a: '2' } }
  await cluster.write(body, 'plumbline')
  expect((await (await at('other-2', 'other')).plan(desired)).effects[0]?.refused).toMatchObject({ code: 'object-exists' })
})

test('an effect that had begun before a crash, and renders to something else on resume, is told by what was sent then', async () => {
  const [then, now] = [[configMap('resumed', '1')], [configMap('resumed', '2')]]
  const before = await at('crash-1', 'resumed', { call: unanswering(true) })
  const [effect] = (await before.plan(then)).effects as [Effect]
  await before.carryOut(effect, then)
  // The process died before it wrote down what became of it.
  await startEffect(store, 'crash-1', effect, 0)
  const resumed = await at('crash-1', 'resumed')
  expect(await resumed.carryOut(effect, now)).toBeUndefined()
  expect(await resumed.outcome(effect.key)).toMatchObject({ state: 'applied', action: 'created' })
  expect(await heldAt(store, place, [effect.key])).toMatchObject([{ desired: effect.desired }])

  const [never] = [configMap('not-resumed', '1')]
  const died = await at('crash-2', 'not-resumed', { call: unanswering(false) })
  const [planned] = (await died.plan([never])).effects as [Effect]
  await died.carryOut(planned, [never])
  await startEffect(store, 'crash-2', planned, 0)
  expect(await (await at('crash-2', 'not-resumed')).carryOut(planned, [configMap('not-resumed', '2')])).toMatchObject({ code: 'plan-moved' })
})

test('a change that had begun and renders to something else on resume is unknown, and the next plan sends what Git says then', async () => {
  const [one, two] = [[configMap('changed', '1')], [configMap('changed', '2')]]
  const first = await at('change-1', 'changed')
  const [creation] = (await first.plan(one)).effects as [Effect]
  expect(await first.carryOut(creation, one)).toBeUndefined()
  const second = await at('change-2', 'changed', { call: unanswering(true) })
  const [change] = (await second.plan(two)).effects as [Effect]
  expect(change.action).toBe('configured')
  await second.carryOut(change, two)
  await startEffect(store, 'change-2', change, 0)
  const resumed = await at('change-2', 'changed')
  expect(await resumed.carryOut(change, one)).toMatchObject({ code: 'effect-interrupted', retry: 'later' })
  expect(await resumed.outcome(change.key)).toMatchObject({ state: 'unknown' })
  // Taken back in Git: nothing of the unanswered change may stay.
  const last = await at('change-3', 'changed')
  const [revert] = (await last.plan(one)).effects as [Effect]
  expect(revert).toMatchObject({ action: 'configured', changes: [{ path: 'data.a', to: '1', from: '2' }] })
  expect(await last.carryOut(revert, one)).toBeUndefined()
  expect(await cluster.read(one[0]?.body ?? {})).toMatchObject({ data: { a: '1' } })
})
