import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import type { DeclaredField, Effect, Held, Observation } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { makePlan } from '#plan/plan.ts'
import type { Driver, DriverCall, Outcome, Sighting } from './driver.ts'

/** A place for a driver to be tried on, and what the suite has to know about it. */
export type ConformanceFixture = {
  /** A call's surroundings on that place, where everything is well. */
  readonly call: DriverCall
  /** The same place as it is when nobody can reach it. */
  readonly unreachable: DriverCall
  /** Two objects or more that do not exist yet, with names that no earlier call gave. `values` are what one of their fields holds. */
  desired(value: string, round: number): readonly Desired[]
  /** Changes the field that `value` is in, by another hand. */
  disturb(desired: Desired): Promise<void>
  /** How many writes the place has carried out; left out where it cannot tell. */
  readonly writes?: () => number
  stop(): Promise<void>
}

const module = 'conformance'
const environment = 'test'

/** What every driver must pass. `open` is called once; what it opened is stopped at the end. */
export function conformance(driver: Driver, open: () => Promise<ConformanceFixture>): void {
  describe(`the driver ${driver.id} conforms`, () => {
    let place: ConformanceFixture
    let call: DriverCall
    let round = 0
    beforeAll(async () => {
      place = await open()
      call = place.call
    })
    beforeEach(() => (round += 1))
    afterAll(async () => place?.stop())

    const observe = (desired: readonly Desired[], held: readonly Held[] = []): Promise<Observation[]> =>
      driver.observe(call, [...new Set([...desired.map(({ key }) => key), ...held.map(({ key }) => key)])], desired)
    const plan = async (desired: readonly Desired[], held: readonly Held[] = []): Promise<Effect[]> => {
      const observations = await observe(desired, held)
      const declared = desired.map((one) => driver.declare(call, module, one))
      const planned = { name: module, track: 'declarative', driver: driver.id, target: 'place', place: 'place', dependsOn: [], takeOver: false, desired: declared, observations }
      const { steps } = makePlan({ environment, snapshot: 'snapshot', modules: [planned], others: new Set(), declaredByOthers: [], held })
      return steps.flatMap((step) => step.waves.flat())
    }
    const apply = (effect: Effect, desired: readonly Desired[], held: readonly Held[] = [], on = call): Promise<Outcome> =>
      driver.apply(on, effect, desired.find(({ key }) => key === effect.key), held.find(({ key }) => key === effect.key))
    const deliver = async (desired: readonly Desired[], held: readonly Held[] = []): Promise<Held[]> => {
      const rows: Held[] = []
      for (const effect of await plan(desired, held)) {
        const outcome = await apply(effect, desired, held)
        expect(outcome).toMatchObject({ state: 'applied', action: effect.action })
        if (effect.action !== 'deleted') rows.push(row(effect, outcome))
      }
      return rows
    }
    const actions = (effects: readonly Effect[]): string[] => effects.map((effect) => effect.action)

    test('preview is pure: it leaves the place as it was', async () => {
      const held = await deliver(place.desired('first', round))
      const desired = [...place.desired('second', round), ...place.desired('new', round + 10_000)]
      const effects = await plan(desired, held)
      expect(actions(effects)).toEqual(expect.arrayContaining(['created', 'configured']))
      const [before, writes] = [await observe(desired, held), place.writes?.()]
      const previewed = await driver.preview(call, effects, desired)
      expect(previewed.map(({ key, action, refused }) => ({ key, action, refused }))).toEqual(effects.map(({ key, action }) => ({ key, action, refused: undefined })))
      expect(await observe(desired, held)).toEqual(before)
      expect(place.writes?.()).toBe(writes)
    })

    test('declaring twice changes nothing more, and what is declared is what is observed', async () => {
      for (const one of place.desired('first', round)) {
        const once = driver.declare(call, module, one)
        expect(driver.declare(call, module, once)).toEqual(once)
      }
    })

    test('apply twice is unchanged: the second plan has nothing to do, and sends no write', async () => {
      const desired = place.desired('first', round)
      const held = await deliver(desired)
      expect(held.every((one) => one.fields.length > 0)).toBe(true)
      const writes = place.writes?.()
      const again = await plan(desired, held)
      expect(actions(again)).toEqual(desired.map(() => 'unchanged'))
      for (const effect of again) expect(await apply(effect, desired, held)).toMatchObject({ state: 'applied', action: 'unchanged' })
      await driver.preview(call, again, desired)
      expect(place.writes?.()).toBe(writes)
      const changed = place.desired('second', round)
      const after = await deliver(changed, held)
      expect(actions(await plan(changed, after))).toEqual(changed.map(() => 'unchanged'))
    })

    test('a crash between two effects recovers: each effect is told to be applied, or not, as it is', async () => {
      const desired = place.desired('first', round)
      const [first, second] = await plan(desired) as [Effect, Effect]
      const recover = (effect: Effect, wanted: readonly Desired[] = desired, held: readonly Held[] = []) =>
        driver.recover(call, effect, wanted.find(({ key }) => key === effect.key), held.find(({ key }) => key === effect.key))
      expect(await recover(first)).toEqual({ state: 'not-applied' })
      const outcome = await apply(first, desired)
      expect(fieldsOf(await recover(first))).toEqual(fieldsOf(outcome))
      expect(await recover(second)).toEqual({ state: 'not-applied' })
      expect(await apply(second, desired)).toMatchObject({ state: 'applied' })
      expect(await recover(second)).toMatchObject({ state: 'applied' })
      const held = [row(first, outcome)]
      const changed = place.desired('second', round)
      const [change] = await plan(changed.slice(0, 1), held) as [Effect]
      expect(await recover(change, changed, held)).toEqual({ state: 'not-applied' })
      const now = await apply(change, changed, held)
      expect(fieldsOf(await recover(change, changed, held))).toEqual(fieldsOf(now))
      const [removal] = await plan([], [row(change, now)]) as [Effect]
      expect(removal.action).toBe('deleted')
      expect(await recover(removal, [])).toEqual({ state: 'not-applied' })
      expect(await apply(removal, [])).toMatchObject({ state: 'applied', action: 'deleted', fields: [] })
      expect(await recover(removal, [])).toMatchObject({ state: 'applied', action: 'deleted', fields: [] })
    })

    test('what a creation made is recognised by what was declared then, and what somebody else made is not', async () => {
      const desired = place.desired('first', round)
      const [first, second] = await plan(desired) as [Effect, Effect]
      const recognise = (effect: Effect) => driver.recognise(call, effect, driver.declare(call, module, desired.find(({ key }) => key === effect.key) as Desired))
      expect(await recognise(first)).toEqual({ state: 'not-applied' })
      expect(fieldsOf(await recognise(await apply(first, desired).then(() => first)))).toEqual(fieldsOf(await driver.recover(call, first, desired.find(({ key }) => key === first.key), undefined)))
      await place.disturb(desired.find(({ key }) => key === second.key) as Desired)
      const writes = place.writes?.()
      expect(await recognise(second)).toEqual({ state: 'not-applied' })
      expect(place.writes?.()).toBe(writes)
    })

    test('unknown stays unknown: what cannot be reached is neither absent, nor applied, nor undone', async () => {
      const desired = place.desired('first', round)
      const [effect] = await plan(desired) as [Effect]
      const [seen, applied, recovered, recognised, named] = await Promise.all([
        driver.observe(place.unreachable, desired.map(({ key }) => key), []),
        apply(effect, desired, [], place.unreachable),
        driver.recover(place.unreachable, effect, desired[0], undefined),
        driver.recognise(place.unreachable, effect, driver.declare(call, module, desired[0] as Desired)),
        driver.identify(place.unreachable).catch((error: unknown) => error),
      ])
      expect(seen.map(({ key, state }) => ({ key, state }))).toEqual(desired.map(({ key }) => ({ key, state: 'unknown' })))
      expect(applied.state).toMatch(/^(unknown|refused)$/)
      expect(recovered).toMatchObject({ state: 'unknown' })
      expect(recognised).toMatchObject({ state: 'unknown' })
      expect(named).toBeInstanceOf(Failure)
      expect((await observe(desired)).map(({ state }) => state)).toEqual(desired.map(() => 'absent'))
    })

    test('what moved since it was sealed is refused, and stays as it is', async () => {
      const desired = place.desired('first', round)
      const held = await deliver(desired)
      const changed = place.desired('second', round)
      const [effect] = await plan(changed, held) as [Effect]
      await place.disturb(desired.find(({ key }) => key === effect.key) as Desired)
      const before = await observe(desired)
      expect(await apply(effect, changed, held)).toMatchObject({ state: 'moved' })
      expect(await observe(desired)).toEqual(before)
    })

    test('what is to be created, and exists by now, is refused', async () => {
      const desired = place.desired('first', round)
      const [effect] = await plan(desired) as [Effect]
      await place.disturb(desired.find(({ key }) => key === effect.key) as Desired)
      expect(await apply(effect, desired)).toMatchObject({ state: 'moved' })
    })

    test('what is to be deleted, and was made again by somebody, is refused; what is gone is deleted', async () => {
      const desired = place.desired('first', round)
      const held = await deliver(desired)
      const [first, second] = await plan([], held) as [Effect, Effect]
      expect(await apply(first, [])).toMatchObject({ state: 'applied', action: 'deleted' })
      expect(await apply(first, [])).toMatchObject({ state: 'applied', action: 'deleted' })
      await place.disturb(desired.find(({ key }) => key === first.key) as Desired)
      expect(await apply(first, [])).toMatchObject({ state: 'moved' })
      expect((await observe(desired)).map(({ state }) => state)).toEqual(desired.map(() => 'present'))
      expect(await apply(second, [])).toMatchObject({ state: 'applied', action: 'deleted' })
    })

    test('a lost lease, or an ended signal, stops before the write', async () => {
      const desired = place.desired('first', round)
      const [effect] = await plan(desired) as [Effect]
      const lost = { ...call, assertLease: async () => Promise.reject(new Failure({ code: 'lease-lost', subject: 'run', message: 'another worker has it' })) }
      await expect(apply(effect, desired, [], lost)).rejects.toMatchObject({ code: 'lease-lost' })
      await expect(apply(effect, desired, [], { ...call, signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow('over')
      const ending = new AbortController()
      const during = { ...call, signal: ending.signal, assertLease: async () => ending.abort(new Error('over')) }
      await expect(apply(effect, desired, [], during)).rejects.toThrow('over')
      expect((await observe(desired)).map(({ state }) => state)).toEqual(desired.map(() => 'absent'))
    })

    test('a watch tells all that there is, and then each change, with what is needed to look at it', async () => {
      const desired = place.desired('first', round)
      const held = await deliver(desired)
      const [watched] = desired as [Desired]
      const over = new AbortController()
      const told: Sighting[] = []
      const mine = (states: readonly Sighting['state'][]): Sighting[] => told.filter((one) => states.includes(one.state) && 'key' in one && one.key === watched.key)
      const watching = (async () => {
        for await (const one of driver.watch({ ...call, signal: over.signal }, { kind: watched.key })) told.push(one)
      })()
      await expect.poll(() => told.some(({ state }) => state === 'listed')).toBe(true)
      expect(told[0]).toEqual({ state: 'listing' })
      const uid = held.find(({ key }) => key === watched.key)?.uid
      expect(mine(['seen'])).toMatchObject([{ uid }])
      await place.disturb(watched)
      await expect.poll(() => mine(['seen']).length).toBeGreaterThan(1)
      for (const effect of await plan([], held)) await apply(effect, [])
      await expect.poll(() => mine(['gone']).length).toBe(1)
      over.abort()
      await watching
    })

    test('a place has one name, whatever way leads there', async () => {
      const identity = await driver.identify(call)
      expect(identity.place?.length).toBeGreaterThan(8)
      expect(identity.address).not.toBe('')
      expect(await driver.identify(call)).toEqual(identity)
    })
  })
}

function row(effect: Effect, outcome: Outcome): Held {
  if (outcome.state !== 'applied' || effect.desired === undefined) throw new Error(`not applied: ${JSON.stringify(outcome)}`)
  return { place: 'place', key: effect.key, uid: outcome.uid ?? '', environment, module, desired: effect.desired, fields: outcome.fields, run: 'run' }
}

function fieldsOf(outcome: { readonly state: string; readonly fields?: readonly DeclaredField[] }): unknown {
  return { state: outcome.state, fields: outcome.fields }
}
