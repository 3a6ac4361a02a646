import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Held, Plan, Step } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { noDoubts } from '#plan/doubts.ts'
import { contested } from '#plan/duplicates.ts'
import type { Declared } from '#plan/duplicates.ts'
import { orderModules, unknownDependency } from '#plan/order.ts'
import { isIdle } from '#model/effects.ts'
import { makePlan, planDigest } from '#plan/plan.ts'
import type { PlannedModule } from '#plan/plan.ts'
import { heldBy } from '#store/inventory.ts'
import { bindAll, ownFailure, placeBehind, refuseMovedTarget } from './bindings.ts'
import type { Bindings } from './bindings.ts'
import { modulesIn } from './configuration.ts'
import { doubtsOf } from './doubts.ts'
import { removed } from './environment.ts'
import { operationPlan } from './operation/operate.ts'
import { planModule } from './plan-module.ts'
import { planRevert } from './plan-revert.ts'
import { policyDigest } from './policy.ts'
import { withProofs } from './proof.ts'
import type { Intents } from './render-run.ts'
import { policyWanted } from './work.ts'
import type { Work } from './work.ts'

/**
 * Plans a run against the world as it is now. The modules that changed are observed and compared; those that only depend on them are in the plan with
 * nothing to do, to be verified again.
 */
export async function planRun(work: Work, intents: Intents): Promise<Plan> {
  const { run } = work
  if (run.kind === 'policy') return policyPlan(work)
  if (run.kind === 'operation') return operationPlan(work)
  if (run.kind === 'revert') return planRevert(work, intents)
  const { bindings, failures, waiting } = await bindAll(work, intents)
  const observed: PlannedModule[] = []
  const held: Held[] = []
  for (const [name, { changed, intent: wanted }] of Object.entries(run.modules)) {
    const intent = intents.modules.get(name)
    const bound = bindings.get(name)
    if (intent === undefined && changed && wanted !== removed) throw unread(name)
    if (!changed || bound === undefined) continue
    try {
      const own = await heldBy(work.parts.sql, run.environment, name)
      await refuseMovedTarget(bound, bindings, name, own)
      const { module, rows } = await planModule(work, bound, name, intent, own)
      observed.push(module)
      held.push(...rows)
    } catch (error) {
      failures.set(name, ownFailure(work, error, name))
      waiting.add(name)
    }
  }
  // What may be known in a moment is waited for, where there is nothing else to do meanwhile; elsewhere it is its own module's failure, and tried again.
  const late = observed.length > 0 ? undefined : [...waiting].map((name) => failures.get(name)).find((failure) => failure !== undefined && failure.retry !== 'never')
  if (late !== undefined) throw new Failure(late)
  const inventory = distinct(held)
  const { placed, unplaced } = await declaredElsewhere(intents, observed, bindings)
  const declared = [...placed, ...observed.flatMap(declaredBy)]
  const isUnlimited = (module: string): boolean => intents.modules.get(module)?.limits === 'everything'
  const contests = contested(declared, (place, key) => inventory.find((row) => row.place === place && row.key === key && row.environment === run.environment)?.module, isUnlimited)
  for (const [name, failure] of contests.failures) failures.set(name, failure)
  // Where a file cannot be read nobody knows which modules there are: whoever depends on a name that is nowhere fails, and stops nobody else.
  const names = new Set([...work.configuration.modules.keys(), ...Object.keys(run.modules)])
  for (const { name, dependsOn } of observed) {
    const other = dependsOn.find((one) => !names.has(one))
    if (other !== undefined) failures.set(name, unknownDependency(name, other, [...names]).toJSON())
  }
  const planned = observed.filter((module) => !failures.has(module.name))
  const plan = makePlan({
    environment: run.environment,
    snapshot: run.snapshot,
    modules: planned,
    others: othersOf(work, planned),
    declaredByOthers: contests.standing.filter(({ module }) => !planned.some(({ name }) => name === module)),
    held: inventory,
    // What is gone as a whole has nobody who may still declare something there.
    doubts: run.kind === 'prune' ? noDoubts : await doubtsOf(work, intents, { lost: declared.filter((one) => !contests.standing.includes(one)), unplaced }, (target) => placeBehind(bindings, target)),
  })
  const [unknown] = plan.unknown.filter(({ retry }) => retry !== 'never')
  // What may be known in a moment is waited for: a plan on a guess is none. Who only asks is told.
  if (unknown !== undefined && !work.dry) throw new Failure(unknown)
  return previewed(work, intents, await withProofs(work, intents, withDependents(work, intents, plan, failures)), bindings)
}

/** A module is planned as gone only where the snapshot says that it is: that its repository is not at hand says nothing. */
function unread(module: string): Failure {
  return new Failure({
    code: 'module-unread',
    subject: `module ${module}`,
    message: 'its repository is not at hand, so that nothing is known of what it is to be',
    hint: 'Wait until its repository was read: `plumb status` says whether it can be.',
    retry: 'later',
  })
}

function declaredBy({ name, place, desired }: PlannedModule): Declared[] {
  return desired.map((one) => ({ place, module: name, desired: one }))
}

/** A change of policy does nothing but itself: what is approved is that very change. */
function policyPlan(work: Work): Plan {
  const { run, policy } = work
  const digest = policyDigest(policy, policyWanted(work) ?? policy)
  return { environment: run.environment, snapshot: run.snapshot, steps: [], unknown: [], digest }
}

function distinct(held: readonly Held[]): Held[] {
  return [...new Map(held.map((row) => [`${row.place}\n${row.key}`, row])).values()]
}

function othersOf(work: Work, planned: readonly PlannedModule[]): Set<string> {
  const names = new Set(planned.map((module) => module.name))
  return new Set([...work.configuration.modules.keys(), ...Object.keys(work.run.modules)].filter((name) => !names.has(name)))
}

/** What modules declare that are not planned; of those whose target does not answer, nobody knows at which place. */
async function declaredElsewhere(intents: Intents, planned: readonly PlannedModule[], bindings: Bindings): Promise<{ placed: Declared[]; unplaced: { module: string; key: ObjectKey }[] }> {
  const names = new Set(planned.map((module) => module.name))
  const placed: Declared[] = []
  const unplaced: { module: string; key: ObjectKey }[] = []
  for (const { name, shown } of intents.modules.values()) {
    if (names.has(name)) continue
    const place = await bindings.get(name)?.place().catch(() => undefined)
    if (place === undefined) unplaced.push(...shown.map(({ key }) => ({ module: name, key })))
    else placed.push(...shown.map((desired) => ({ place, module: name, desired })))
  }
  return { placed, unplaced }
}

/** The plan with a step for every module of the run, in order. A module that could not be rendered has nothing to do, and fails when it is reached. */
function withDependents(work: Work, intents: Intents, plan: Plan, failures: ReadonlyMap<string, FailureJson>): Plan {
  const names = Object.keys(work.run.modules)
  const known = modulesIn(work.configuration, work.run.environment)
  const needs = (name: string): readonly string[] => known.get(name)?.config.spec.dependsOn ?? []
  // What is all deleted goes in the opposite order: nothing loses what it depends on while it is there.
  const before = (name: string): string[] => (work.run.kind === 'prune' ? names.filter((other) => needs(other).includes(name)) : needs(name).filter((other) => names.includes(other)))
  const all = names.map((name) => ({ name, dependsOn: before(name) }))
  const steps = orderModules(all).map(({ name, dependsOn }): Step => {
    const step = plan.steps.find((candidate) => candidate.module === name)
    const spec = intents.modules.get(name)?.config.spec
    const failure = failures.get(name)
    return step === undefined
      ? { ...(failure === undefined ? {} : { failure }), module: name, track: spec?.track ?? 'declarative', driver: spec?.driver ?? '', target: spec?.target ?? '', dependsOn, waves: [] }
      : { ...step, dependsOn }
  })
  return { ...plan, steps, digest: planDigest(steps) }
}

/**
 * Asks the systems what they would say, where a person will read the answer: an apply that is only dry costs as much as one that is not. The digest
 * stays that of the effects, so that an approval stands on what is done and not on what was answered.
 */
async function previewed(work: Work, intents: Intents, plan: Plan, bindings: Bindings): Promise<Plan> {
  if (!work.dry && work.policy.review.approvals === 0) return plan
  const steps = await Promise.all(
    plan.steps.map(async (step): Promise<Step> => {
      const effects = step.waves.flat().filter((effect) => !isIdle(effect) && effect.refused === undefined && effect.deferred === undefined)
      const bound = bindings.get(step.module)
      if (effects.length === 0 || bound === undefined) return step
      const answers = new Map((await bound.driver.preview(bound.call, effects, intents.modules.get(step.module)?.desired ?? [])).map((effect) => [effect.key, effect]))
      return { ...step, waves: step.waves.map((wave) => wave.map((effect) => answers.get(effect.key) ?? effect)) }
    }),
  )
  return { ...plan, steps }
}
