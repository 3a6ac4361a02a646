import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Effect, Held, Observation, Plan, Step } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { contested } from '#plan/duplicates.ts'
import type { Declared } from '#plan/duplicates.ts'
import { orderModules } from '#plan/order.ts'
import { isIdle } from '#model/effects.ts'
import { makePlan, planDigest } from '#plan/plan.ts'
import type { PlannedModule } from '#plan/plan.ts'
import { heldAt, heldBy } from '#store/inventory.ts'
import { statuses } from '#store/statuses.ts'
import { modulesIn } from './configuration.ts'
import { doubtsOf } from './doubts.ts'
import { removed } from './environment.ts'
import { policyDigest, policyIn, policyInForce } from './policy.ts'
import type { Intents, ModuleIntent } from './render-run.ts'
import { bind } from './work.ts'
import type { Bound, Work } from './work.ts'

/** Where each module of the run is delivered to. One binding a target: the place behind it is asked for once. */
type Bindings = ReadonlyMap<string, Bound>

/**
 * Plans a run against the world as it is now. The modules that changed are observed and compared; those that only depend on them are in the plan with
 * nothing to do, to be verified again.
 */
export async function planRun(work: Work, intents: Intents): Promise<Plan> {
  const { run } = work
  if (run.kind === 'policy') return policyPlan(work)
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
  const planned = observed.filter((module) => !failures.has(module.name))
  const plan = makePlan({
    environment: run.environment,
    snapshot: run.snapshot,
    modules: planned,
    others: othersOf(work, planned),
    declaredByOthers: contests.standing.filter(({ module }) => !planned.some(({ name }) => name === module)),
    held: inventory,
    doubts: await doubtsOf(work, intents, { lost: declared.filter((one) => !contests.standing.includes(one)), unplaced }, (target) => placeBehind(bindings, target)),
  })
  const [unknown] = plan.unknown.filter(({ retry }) => retry !== 'never')
  // What may be known in a moment is waited for: a plan on a guess is none. Who only asks is told.
  if (unknown !== undefined && !work.dry) throw new Failure(unknown)
  return previewed(work, intents, withDependents(work, intents, plan, failures), bindings)
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

/** A failure that concerns one module alone. Any other is thrown: the whole run is tried again. */
function ownFailure(work: Work, error: unknown, module: string): FailureJson {
  work.claim.signal.throwIfAborted()
  const failure = asFailure(error, `module ${module}`)
  if (failure.retry === 'now' || failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
  return failure.toJSON()
}

function declaredBy({ name, place, desired }: PlannedModule): Declared[] {
  return desired.map((one) => ({ place, module: name, desired: one }))
}

/** A change of policy does nothing but itself: what is approved is that very change. */
async function policyPlan({ parts, run, environment }: Work): Promise<Plan> {
  const digest = policyDigest(await policyInForce(parts.sql, environment), policyIn(environment))
  return { environment: run.environment, snapshot: run.snapshot, steps: [], unknown: [], digest }
}

/** Every module of the environment, bound to where it is delivered; and why the others are not. `waiting`: those that could not be bound just now. */
async function bindAll(work: Work, intents: Intents): Promise<{ bindings: Bindings; failures: Map<string, FailureJson>; waiting: Set<string> }> {
  const rows = new Map((await statuses(work.parts.sql, work.run.environment)).map((row) => [row.module, row]))
  const byTarget = new Map<string, Bound>()
  const bindings = new Map<string, Bound>()
  const failures = new Map<string, FailureJson>()
  const waiting = new Set<string>()
  for (const name of new Set([...Object.keys(work.run.modules), ...intents.modules.keys()])) {
    const failure = intents.modules.get(name)?.failure
    if (failure !== undefined) {
      failures.set(name, failure)
      continue
    }
    // A module that is gone from Git is deleted where it was delivered.
    const spec = intents.modules.get(name)?.config.spec ?? rows.get(name)
    if (spec === undefined) continue
    const id = `${spec.driver} ${spec.target}`
    try {
      const bound = byTarget.get(id) ?? (await bind(work, name, spec.driver, spec.target, work.claim.signal))
      byTarget.set(id, bound)
      bindings.set(name, bound)
    } catch (error) {
      const own = ownFailure(work, error, name)
      // What is only verified, or is no part of the run, needs no target that answers.
      if (own.retry !== 'never' && work.run.modules[name]?.changed !== true) continue
      failures.set(name, own)
      waiting.add(name)
    }
  }
  return { bindings, failures, waiting }
}

async function planModule(work: Work, bound: Bound, name: string, intent: ModuleIntent | undefined, own: readonly Held[]): Promise<{ module: PlannedModule; rows: Held[] }> {
  const place = await bound.place()
  const desired = intent?.shown ?? []
  const wanted = desired.map((one) => one.key)
  const keys = [...new Set([...wanted, ...own.map((row) => row.key)])]
  const spec = intent?.config.spec
  const observations = await bound.driver.observe(bound.call, keys, intent?.desired ?? [])
  // A plan on a guess is none. Who only asks is told.
  const unknown = work.dry ? undefined : observations.find((one) => one.state === 'unknown' && one.failure.retry !== 'never')
  if (unknown?.state === 'unknown') throw new Failure(unknown.failure)
  return {
    module: {
      name,
      track: spec?.track ?? 'declarative',
      driver: bound.driver.id,
      target: bound.target,
      place,
      dependsOn: spec?.dependsOn ?? [],
      takeOver: spec?.takeOver ?? false,
      desired,
      observations,
    },
    rows: [...own, ...(await heldAt(work.parts.sql, place, wanted))],
  }
}

/** What a module holds at its former target would be left behind there. A place that no target reaches any more cannot be cleared up. */
async function refuseMovedTarget(bound: Bound, bindings: Bindings, module: string, own: readonly Held[]): Promise<void> {
  const place = await bound.place()
  const elsewhere = own.filter((row) => row.place !== place)
  if (elsewhere.length === 0) return
  const asked = await Promise.allSettled([...new Set(bindings.values())].map((one) => one.place()))
  const left = elsewhere.filter((row) => asked.some((one) => one.status === 'fulfilled' && one.value === row.place))
  // It may be behind the target that does not answer.
  for (const one of asked) if (left.length === 0 && one.status === 'rejected') throw one.reason
  if (left.length === 0) return
  throw new Failure({
    code: 'target-moved',
    subject: `module ${module}`,
    message: `it has another target now, and still holds ${left.length} objects at its former one`,
    hint: 'Deliver it once with `environments` that leave this one out, so that they are deleted there, and then with the new target.',
  })
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

/** The place behind a target of the environment, where a module that is bound tells it. */
async function placeBehind(bindings: Bindings, target: string): Promise<string | undefined> {
  return [...bindings.values()].find((bound) => bound.target === target)?.place().catch(() => undefined)
}

/** The plan with a step for every module of the run, in order. A module that could not be rendered has nothing to do, and fails when it is reached. */
function withDependents(work: Work, intents: Intents, plan: Plan, failures: ReadonlyMap<string, FailureJson>): Plan {
  const names = Object.keys(work.run.modules)
  const known = modulesIn(work.configuration, work.run.environment)
  const all = names.map((name) => ({ name, dependsOn: (known.get(name)?.config.spec.dependsOn ?? []).filter((other) => names.includes(other)) }))
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
  if (!work.dry && (await policyInForce(work.parts.sql, work.environment)).review.approvals === 0) return plan
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
  if (sealed === undefined || sealed.deferred !== undefined || sealed.action === 'deleted' || sealed.force)
    throw new Failure({
      code: 'deferred-refused',
      subject: effect.key,
      message: sealed?.deferred ?? 'what it turned out to do was not in the plan that was gated',
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
