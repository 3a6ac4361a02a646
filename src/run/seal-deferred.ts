import { Failure } from '#lib/failure.ts'
import type { Effect, Observation } from '#model/plan.ts'
import { showKey } from '#model/resource.ts'
import type { ObjectKey } from '#model/resource.ts'
import { makePlan } from '#plan/plan.ts'
import type { PlannedModule } from '#plan/plan.ts'
import { heldAt } from '#store/inventory.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Bound, Work } from './work.ts'

/**
 * Seals an effect that could not be known when the plan was made, now that it is reached. What nobody has approved with the plan (a conflict, an
 * object that exists already) is refused here: it needs a plan of its own.
 */
export async function sealDeferred(work: Work, bound: Bound, intent: ModuleIntent | undefined, effect: Effect): Promise<Effect> {
  const shown = intent?.shown.find((one) => one.key === effect.key)
  const [observation] = await bound.driver.observe(bound.call, [effect.key], (intent?.desired ?? []).filter((one) => one.key === effect.key))
  const [sealed] = await sealedNow(work, bound, intent, effect.key, observation, shown)
  const refused = sealed?.refused ?? (observation?.state === 'unknown' ? observation.failure : undefined)
  if (refused !== undefined) throw new Failure(refused)
  if (sealed?.deferred !== undefined)
    throw new Failure({
      code: 'kind-unknown',
      subject: showKey(effect.key),
      message: sealed.deferred,
      hint: `Correct apiVersion and kind; or deliver its CustomResourceDefinition first: in the same module, or in one that ${effect.module} depends on.`,
      retry: 'later',
    })
  if (sealed === undefined || sealed.action === 'deleted' || sealed.force)
    throw new Failure({
      code: 'deferred-refused',
      subject: showKey(effect.key),
      message: 'what it turned out to do was not in the plan that was gated',
      hint: `Deliver again: plumb deploy -e ${work.run.environment} -m ${effect.module}`,
      retry: 'later',
    })
  return sealed
}

async function sealedNow(work: Work, bound: Bound, intent: ModuleIntent | undefined, key: ObjectKey, observation: Observation | undefined, shown: PlannedModule['desired'][number] | undefined): Promise<Effect[]> {
  const place = await bound.place()
  const plan = makePlan({
    environment: work.run.environment,
    snapshot: work.run.snapshot,
    modules: [
      {
        name: intent?.name ?? '',
        track: 'declarative',
        driver: bound.driver.id,
        target: bound.target,
        place,
        dependsOn: [],
        takeOver: intent?.config.spec.takeOver ?? false,
        desired: shown === undefined ? [] : [shown],
        observations: observation === undefined ? [] : [observation],
      },
    ],
    others: new Set(),
    declaredByOthers: [],
    held: await heldAt(work.parts.sql, place, [key]),
  })
  return plan.steps.flatMap((step) => step.waves.flat())
}
