import type { Condition } from './kinds.ts'

/**
 * The conditions with one set. `lastTransitionTime` moves only when the status does, so that writing an equal condition again changes nothing.
 */
export function withCondition(conditions: readonly Condition[] | undefined, next: Condition, time: string): Condition[] {
  const before = conditions?.find((condition) => condition.type === next.type)
  const condition: Condition = {
    ...next,
    lastTransitionTime: before?.status === next.status ? (before.lastTransitionTime ?? time) : time,
  }
  if (before === undefined) return [...(conditions ?? []), condition]
  return (conditions ?? []).map((other) => (other.type === next.type ? condition : other))
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}
