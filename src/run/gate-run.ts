import type { Digest } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { GateDecision } from '#model/gate.ts'
import type { Plan, Step } from '#model/plan.ts'
import { byHolders, holdsRole } from '#model/principal.ts'
import { standingVerification } from '#model/probe-state.ts'
import { decideGate, refusedModules } from '#gate/gate.ts'
import { planDigest } from '#plan/plan.ts'
import type { EarlierModule, GateInput, GatedModule } from '#gate/rule.ts'
import { heldBy } from '#store/inventory.ts'
import { activePauses } from '#store/pauses.ts'
import { principals } from '#store/principals.ts'
import { approvalsOf } from '#store/runs.ts'
import type { RunRow } from '#store/runs.ts'
import { statuses } from '#store/statuses.ts'
import { authorsOf } from './authors.ts'
import { environmentWorks } from './environment-works.ts'
import { removed } from './environment.ts'
import { inForce, limitsOf, policyChanges } from './policy.ts'
import type { Policy } from './policy.ts'
import { renderAll } from './render-run.ts'
import type { Intents } from './render-run.ts'
import { stepsAhead } from './operation/operate.ts'
import { policyWanted } from './work.ts'
import type { Work } from './work.ts'

/** `plan`: where the gate lets only some of the modules through, the others' steps bear their failure. */
export type RunGate = { readonly outcome: 'go' | 'wait' | 'refuse'; readonly decisions: GateDecision[]; readonly plan: Plan }

/** Asks the gate about a plan, with all that is known now. A run that only verifies changes nothing, and passes. */
export async function gateRun(work: Work, intents: Intents, plan: Plan): Promise<RunGate> {
  const { parts, run, configuration, policy } = work
  if (run.kind === 'verify') return { outcome: 'go', decisions: [], plan }
  const now = parts.clock.now()
  const known = await principals(parts.sql)
  const { authors, strangers } = policy.review.approvals > 0 && policy.review.notTheAuthor ? await authorsOf(work, intents, known) : { authors: [], strangers: [] }
  const input: GateInput = {
    run: run.id,
    plan,
    policy: policyFor(run, policy),
    policyChanges: run.kind === 'policy' ? policyChanges(policy, policyWanted(work) ?? policy) : [],
    modules: await gatedModules(work, intents),
    limits: Object.fromEntries(Object.keys({ ...configuration.workspace.spec.repositories, ...policy.limits }).map((name) => [name, limitsOf(policy, run.environment, name)])),
    approvals: byHolders(await approvalsOf(parts.sql, run.id), known, 'approver', run.environment),
    mayApprove: known.filter((principal) => holdsRole(principal, 'approver', run.environment)).map(({ name }) => name),
    pauses: await activePauses(parts.sql, now, run.environment),
    authors,
    strangers,
    earlier: policy.deliver.after === undefined || isAsBefore(run) ? [] : await earlierModules(work, policy.deliver.after.environment),
    startedBy: run.startedBy,
    ...(run.rollback === null ? {} : { rollback: run.rollback }),
    ...(run.operation === null ? {} : { operation: { name: run.operation.name, steps: stepsAhead(work), scheduled: run.operation.slot !== null } }),
    now,
  }
  const refused = refusedModules(input)
  const steps = plan.steps.map((step): Step => {
    const decision = refused.get(step.module)
    return decision === undefined ? step : { ...step, failure: stepFailure(step, decision) }
  })
  // What is approved is what is carried out: where somebody is let through later, it is another plan.
  const gated = refused.size === 0 ? plan : { ...plan, steps, digest: planDigest(steps) }
  const isLeft = steps.some((step) => step.failure === undefined && run.modules[step.module]?.changed === true)
  if (refused.size > 0 && !isLeft) return { outcome: 'refuse', decisions: [...decideGate(input).decisions], plan: gated }
  // What is not carried out asks nobody for anything.
  const rest = decideGate({ ...input, plan: { ...gated, steps: steps.map((step) => (step.failure === undefined ? step : { ...step, waves: [] })), unknown: [] } })
  return { outcome: rest.outcome, decisions: [...refused.values(), ...rest.decisions], plan: gated }
}

/** What was delivered here, and let through, before; or is gone from Git, and a person asked for it. */
function isAsBefore({ kind }: RunRow): boolean {
  return kind === 'prune' || kind === 'revert' || kind === 'rollback'
}

/** Where a verdict decides that something goes back, its word stands for a person's. */
function policyFor(run: RunRow, policy: Policy): GateInput['policy'] {
  if (!isAsBefore(run)) return policy
  return { deliver: { automatic: true }, review: run.rollback?.by === 'verdict' ? { ...policy.review, approvals: 0 } : policy.review }
}

/** Why a module is not let through: what its own object's refusal says, where that is why. */
function stepFailure(step: Step, decision: GateDecision): FailureJson {
  const refused = step.waves.flat().find((effect) => effect.refused !== undefined)?.refused
  return decision.code === 'plan.applicable' && refused !== undefined ? refused : refusal({ decisions: [decision] })
}

/** The first refusal, as the failure that ends the run. */
export function refusal(gate: Pick<RunGate, 'decisions'>): FailureJson {
  const refused = gate.decisions.find((decision) => decision.outcome === 'refuse')
  return new Failure({
    code: 'gate-refused',
    subject: refused?.code ?? 'gate',
    message: refused?.message ?? 'the gate refused the plan',
    ...(refused?.hint === undefined ? {} : { hint: refused.hint }),
    fields: { rule: refused?.code ?? '' },
  }).toJSON()
}

async function gatedModules(work: Work, intents: Intents): Promise<GatedModule[]> {
  const rows = new Map((await statuses(work.parts.sql, work.run.environment)).map((row) => [row.module, row]))
  return Promise.all(
    Object.keys(work.run.modules).map(async (module) => {
      const intent = intents.modules.get(module)
      return {
        module,
        repository: intent?.repository ?? rows.get(module)?.repository ?? '',
        isGone: intent === undefined && work.run.modules[module]?.intent === removed,
        secrets: (intent?.config.spec.secrets ?? []).flatMap((secret) => Object.values(secret.keys).map((key) => key.secretRef)),
        held: (await heldBy(work.parts.sql, work.run.environment, module)).length,
      }
    }),
  )
}

/** What the environment that comes first has of this very snapshot. */
async function earlierModules(work: Work, name: string): Promise<EarlierModule[]> {
  const { parts, snapshot } = work
  // As Git has it: what is held back there is not what comes first.
  const configuration = await parts.configurations.of(snapshot)
  const earlier = configuration.environments.get(name)
  if (earlier === undefined) return []
  const there = await renderAll(parts, snapshot, configuration, earlier, work.claim.signal)
  const rows = new Map((await statuses(parts.sql, name)).map((row) => [row.module, row]))
  const now = parts.clock.now()
  // Where the environment itself, or the last change of it as a whole, does not work, nothing in it proves anything.
  const isWhole = await environmentWorks(parts.sql, await inForce(parts.sql, earlier, configuration), now)
  return Object.keys(work.run.modules).map((module): EarlierModule => {
    const intent = there.modules.get(module)
    const row = rows.get(module)
    if (intent === undefined) return { module, desiredDigest: null }
    if (intent.failure !== undefined) return { module, desiredDigest: undefined }
    const good = isWhole && row?.delivery === 'synced' && row.verifiedSince !== null && standingVerification(row, now) !== 'stale'
    return {
      module,
      desiredDigest: intent.intent as Digest,
      ...(typeof row?.delivered === 'string' ? { delivered: row.delivered as Digest } : {}),
      ...(good && row.verifiedSince !== null ? { verifiedSince: row.verifiedSince } : {}),
    }
  })
}
