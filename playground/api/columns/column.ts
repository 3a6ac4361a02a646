import type { Json } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'

/** A column of a printed table. Priority 0 is always shown, 1 with `-o wide`. */
export type Column = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  readonly priority?: 0 | 1
  /** `now` in milliseconds, for ages. */
  readonly cell: (object: KubernetesObject, now: number) => Json
}
