import { digestOf } from '#lib/digest.ts'
import type { Digest } from '#lib/digest.ts'
import { byHolders } from '#model/principal.ts'
import { principals } from '#store/principals.ts'
import { approvalsOf } from '#store/runs.ts'
import type { StepKind } from './step.ts'

/** What an approval of a step stands on: another one than that of the plan, which is approved before it begins. */
export function approvalDigest(run: string, position: number): Digest {
  return digestOf({ run, step: position })
}

/** Waits for a person who may approve there; where the policy wants another one than the author, not for the one who started it. */
export const approvalStep: StepKind<'approval'> = {
  kind: 'approval',
  about: ({ message }) => message,
  carryOut: async ({ place: { parts, run, policy }, row }, { message }) => {
    const digest = approvalDigest(run.id, row.position)
    const all = byHolders(await approvalsOf(parts.sql, run.id), await principals(parts.sql), 'approver', run.environment)
    const yes = all.find((one) => one.planDigest === digest && !(policy.review.notTheAuthor && one.principal === run.startedBy))
    return yes === undefined ? { state: 'asks', message } : { state: 'done', message: `${yes.principal} says yes: ${yes.reason}` }
  },
}
