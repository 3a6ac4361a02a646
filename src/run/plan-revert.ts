import { digestOf } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import type { Finding } from '#model/finding.ts'
import type { Effect, Plan, Step } from '#model/plan.ts'
import { showKey } from '#model/resource.ts'
import { planDigest } from '#plan/plan.ts'
import { proposeRevert } from '#plan/revert.ts'
import { findingsOfRun } from '#store/findings.ts'
import { heldAt } from '#store/inventory.ts'
import type { Intents, ModuleIntent } from './render-run.ts'
import { bind } from './work.ts'
import type { Work } from './work.ts'

/**
 * Plans the way back of a finding: what was declared last, of its fields and of no others, at the snapshot that was delivered. What came back by itself
 * meanwhile leaves nothing to do. Failure `revert-impossible`: what was declared then is rendered otherwise by now.
 */
export async function planRevert(work: Work, intents: Intents): Promise<Plan> {
  const { run } = work
  const [finding] = await findingsOfRun(work.parts.sql, run.id)
  const steps = finding === undefined ? [] : [await revertStep(work, intents.modules.get(finding.module), finding)]
  const rest = Object.keys(run.modules).filter((module) => !steps.some((step) => step.module === module))
  const all = [...steps, ...rest.map((module) => stepOf(module, intents.modules.get(module), []))]
  return { environment: run.environment, snapshot: run.snapshot, steps: all, unknown: [], digest: planDigest(all) }
}

async function revertStep(work: Work, intent: ModuleIntent | undefined, finding: Finding): Promise<Step> {
  const { object, module } = finding
  const bound = await bind(work, module, finding.driver, finding.target, work.claim.signal)
  const [held] = await heldAt(work.parts.sql, await bound.place(), [object])
  const desired = intent?.shown.find(({ key }) => key === object)
  if (held === undefined || desired === undefined || digestOf(desired.body) !== held.desired) {
    throw new Failure({
      code: 'revert-impossible',
      subject: `${showKey(object)} of ${module}`,
      message: held === undefined ? 'it is not in the inventory: there is nothing to go back to' : 'what was declared last cannot be rendered as it was then',
      hint: `Deliver it instead: plumb deploy -e ${work.run.environment} -m ${module}`,
    })
  }
  const [observation] = await bound.driver.observe(bound.call, [object], intent?.desired.filter(({ key }) => key === object) ?? [])
  if (observation === undefined || observation.state === 'unknown' || observation.state === 'deferred') throw new Failure(observation?.state === 'unknown' ? observation.failure : notThere(finding))
  const effect = proposeRevert({ module, environment: work.run.environment, desired, held, observation, paths: finding.fields.map(({ path }) => path) })
  return stepOf(module, intent, effect === undefined ? [] : [effect])
}

function notThere({ object }: Finding): ConstructorParameters<typeof Failure>[0] {
  return { code: 'object-not-observed', subject: showKey(object), message: `${showKey(object)} cannot be looked at: its kind is not served just now`, hint: 'Look at its definition.', retry: 'later' }
}

function stepOf(module: string, intent: ModuleIntent | undefined, effects: readonly Effect[]): Step {
  const spec = intent?.config.spec
  return { module, track: spec?.track ?? 'declarative', driver: spec?.driver ?? '', target: spec?.target ?? '', dependsOn: [], waves: effects.length === 0 ? [] : [effects] }
}
