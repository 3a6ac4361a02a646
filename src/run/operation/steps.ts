import type { Operation, OperationStep, StepKindName } from '#model/config/operation.ts'
import { stepKinds } from '#model/config/operation.ts'
import type { OperationStepRow } from '#model/operation.ts'
import { approvalStep } from './approval-step.ts'
import { askAll, probeStep } from './ask-step.ts'
import { commandStep, findOutCommand } from './command-step.ts'
import { patchStep } from './patch-step.ts'
import { sqlStep } from './sql-step.ts'
import type { StepCall, StepEnded, StepKind, StepOutcome } from './step.ts'
import { waitStep } from './wait-step.ts'

const kinds = { probe: probeStep, command: commandStep, sql: sqlStep, patch: patchStep, wait: waitStep, approval: approvalStep } as const satisfies { [Name in StepKindName]: StepKind<Name> }

type Parts = Pick<Operation['spec'], 'pre' | 'steps' | 'post'>

/** The journal that an operation begins with. Who begins in the middle has left conditions and steps before that behind. */
export function journalOf({ pre, steps, post }: Parts, from: string | null): Pick<OperationStepRow, 'name' | 'kind' | 'state'>[] {
  const first = from === null ? 0 : steps.findIndex(({ name }) => name === from)
  return [
    ...(pre.length === 0 ? [] : [{ name: 'pre', kind: 'pre', state: from === null ? 'pending' : 'skipped' } as const]),
    ...steps.map((step, index) => ({ name: step.name, kind: kindOf(step), state: index < first ? 'skipped' : 'pending' }) as const),
    ...(post.length === 0 ? [] : [{ name: 'post', kind: 'post', state: 'pending' } as const]),
  ]
}

export function kindOf(step: OperationStep): StepKindName {
  const kind = stepKinds.find((one) => step[one] !== undefined)
  if (kind === undefined) throw new TypeError(`step ${step.name} has no kind`)
  return kind
}

/** What a step does, in a few words. */
export function aboutStep(step: OperationStep): string {
  const kind = kindOf(step)
  return kinds[kind].about(step[kind] as never)
}

type Called = Omit<StepCall, 'timeout'>

export function carryOut(call: Called, { pre, steps, post }: Parts): Promise<StepOutcome> {
  const { name, kind } = call.row
  if (kind === 'pre' || kind === 'post') return askAll(call, kind === 'pre' ? pre : post)
  const step = steps.find((one) => one.name === name)
  return kinds[kind].carryOut({ ...call, timeout: step?.timeout }, step?.[kind] as never)
}

/** What became of a step that was begun and not finished, where its system can tell; nothing where only a person can find out. */
export function findOut(call: Called, { steps }: Pick<Parts, 'steps'>): Promise<StepEnded> | undefined {
  const step = steps.find(({ name }) => name === call.row.name)
  return call.row.state !== 'started' || step?.command === undefined ? undefined : findOutCommand({ ...call, timeout: step.timeout }, step.command)
}
