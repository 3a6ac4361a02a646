import type { Driver, DriverCall, Outcome } from '#drivers/driver.ts'
import type { Effect, Held, Observation } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { makePlan } from '#plan/plan.ts'

/** A module's life on a place, without a store: what it holds is what `deliver` answers. */
export function trial(driver: Driver, call: DriverCall, module = 'trial') {
  const observe = (desired: readonly Desired[], held: readonly Held[] = []): Promise<Observation[]> =>
    driver.observe(call, [...new Set([...desired.map(({ key }) => key), ...held.map(({ key }) => key)])], desired)
  const plan = async (desired: readonly Desired[], held: readonly Held[] = [], takeOver = false): Promise<Effect[]> => {
    const planned = {
      name: module, track: 'declarative', driver: driver.id, target: 'place', place: 'place', dependsOn: [], takeOver,
      desired: desired.map((one) => driver.declare(call, module, one)),
      observations: await observe(desired, held),
    }
    const { steps } = makePlan({ environment: 'test', snapshot: 'snapshot', modules: [planned], others: new Set(), declaredByOthers: [], held })
    return steps.flatMap((step) => step.waves.flat())
  }
  const apply = (effect: Effect, desired: readonly Desired[], held: readonly Held[] = [], over: Partial<DriverCall> = {}): Promise<Outcome> =>
    driver.apply({ ...call, ...over }, effect, desired.find(({ key }) => key === effect.key), held.find(({ key }) => key === effect.key))
  const deliver = async (desired: readonly Desired[], held: readonly Held[] = [], takeOver = false): Promise<Held[]> => {
    const rows: Held[] = []
    for (const effect of await plan(desired, held, takeOver)) {
      const outcome = await apply(effect, desired, held)
      if (outcome.state !== 'applied' || outcome.action !== effect.action) throw new Error(`${effect.action} ${effect.key}: ${JSON.stringify(outcome)} ${JSON.stringify(effect)}`)
      if (effect.desired !== undefined) rows.push({ place: 'place', key: effect.key, uid: outcome.uid ?? '', environment: 'test', module, desired: effect.desired, fields: outcome.fields, run: 'run' })
    }
    return rows
  }
  return { observe, plan, apply, deliver }
}
