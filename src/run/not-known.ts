import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import { isUnsure } from '#model/operation.ts'
import type { OperationStepRow } from '#model/operation.ts'
import { calledModule } from '#model/probe-state.ts'
import type { ProbeResult } from '#model/probe.ts'
import type { EffectRow, RunModuleRow } from '#store/runs.ts'

// What a record says was not known: an evidence that leaves it out would say more than anybody knew.

/** Probes (of a module, or of a step) that did not find out what they were asked for, each with what it met last. */
export function notFoundOut(of: string, probes: readonly ProbeResult[]): FailureJson[] {
  return probes.filter(({ verdict }) => verdict === 'unknown').map(({ probe, samples }) =>
    new Failure({
      code: 'probe-unknown',
      subject: `probe ${probe} of ${calledModule(of)}`,
      message: samples.findLast(({ verdict }) => verdict === 'unknown')?.message ?? 'it was not asked often enough to tell',
      retry: 'later',
    }).toJSON(),
  )
}

type Went = { readonly effects: readonly EffectRow[]; readonly modules: readonly RunModuleRow[]; readonly steps: readonly OperationStepRow[] }

/** What could not be found out in a run: what became of an effect, of a module, of an operation's step; and what its probes did not find out. */
export function unknownOf({ effects, modules, steps }: Went): FailureJson[] {
  return [
    ...effects.flatMap(({ outcome }) => (outcome?.state === 'unknown' && outcome.failure !== undefined ? [outcome.failure] : [])),
    ...modules.flatMap(({ outcome: { failure } }) => (failure !== undefined && errors[failure.code as ErrorCode]?.exit === 4 ? [failure] : [])),
    ...steps.filter(isUnsure).map(unsure),
    ...modules.flatMap(({ module, probes }) => notFoundOut(module, probes)),
    ...steps.flatMap(({ name, probes }) => notFoundOut(`step ${name}`, probes)),
  ]
}

function unsure({ name, failure }: OperationStepRow): FailureJson {
  const why = failure === null ? 'the process ended in the middle of it' : failure.message
  return new Failure({ code: failure?.code ?? 'operation-interrupted', subject: `step ${name}`, message: `nobody can tell whether it took effect: ${why}`, ...(failure?.hint === undefined ? {} : { hint: failure.hint }) }).toJSON()
}
