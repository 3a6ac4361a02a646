import { digestOf } from '#lib/digest.ts'
import type { JsonObject } from '#lib/json.ts'
import { leafChanges } from '#lib/leaves.ts'
import type { Module } from '#model/config/module.ts'
import { probesByName } from '#model/config/probe.ts'
import type { ProbeConfig } from '#model/config/probe.ts'
import type { Plan, Step } from '#model/plan.ts'
import { planDigest } from '#plan/plan.ts'
import { proofsIn, saveProof } from '#store/proofs.ts'
import type { Sql } from '#store/sql.ts'
import type { ModuleResult } from './deliver-module.ts'
import type { Intents, ModuleIntent } from './render-run.ts'
import type { Work } from './work.ts'

/** What of a specification shows in what is rendered, how that is delivered, and what is done about drift. All the rest says how the module is proven. */
const elsewhere: ReadonlySet<string> = new Set(['track', 'driver', 'target', 'environments', 'source', 'dependsOn', 'deadline', 'takeOver', 'empty', 'plainSecrets', 'secrets', 'drift'])

/** How a module is proven: its probes by name, each as it is written, those of the sets that it names among them. */
export function proofOf({ spec }: Pick<Module, 'spec'>, all: readonly ProbeConfig[] = spec.probes): JsonObject {
  const plain = JSON.parse(JSON.stringify(spec)) as JsonObject
  return { ...Object.fromEntries(Object.entries(plain).filter(([field]) => !elsewhere.has(field))), probes: probesByName(all) }
}

function configsOf({ probes }: ModuleIntent): ProbeConfig[] {
  return probes.map(({ config }) => config)
}

/** Another way to prove a module than the one before, or a first one; undefined where it stays. */
export function proofStep(before: JsonObject | undefined, now: JsonObject): Step['proof'] {
  const changes = before === undefined ? [] : leafChanges(before, now)
  return before !== undefined && changes.length === 0 ? undefined : { digest: digestOf(now), changes }
}

/** The plan with what it changes of how its modules are proven: part of its digest, so that an approval of effects is none of weaker probes. */
export async function withProofs(work: Work, intents: Intents, plan: Plan): Promise<Plan> {
  // A look at what is there decides nothing.
  if (work.run.kind === 'verify') return plan
  const known = await proofsIn(work.parts.sql, work.run.environment)
  const steps = plan.steps.map((step) => {
    const intent = intents.modules.get(step.module)
    if (intent === undefined || step.failure !== undefined || work.run.modules[step.module]?.changed !== true) return step
    const proof = proofStep(known.get(step.module), proofOf(intent.config, configsOf(intent)))
    return proof === undefined ? step : { ...step, proof }
  })
  return { ...plan, steps, digest: planDigest(steps) }
}

/** What was delivered is proven like this from now on. */
export async function keepProofs(tx: Sql, { run }: Work, intents: Intents, results: readonly ModuleResult[]): Promise<void> {
  for (const { outcome } of results) {
    const intent = intents.modules.get(outcome.module)
    if (intent !== undefined && outcome.delivery === 'delivered' && run.modules[outcome.module]?.changed === true) await saveProof(tx, run.environment, outcome.module, proofOf(intent.config, configsOf(intent)))
  }
}
