import { equalJson, type Json, type JsonObject } from '#lib/json.ts'
import { readPath } from './field-path.ts'
import { declaredPaths } from './field-set.ts'
import type { ListKeys } from './list-keys.ts'
import type { DeclaredField, Effect, FieldPath } from './plan.ts'

/**
 * What the inventory holds of an object after an effect: every path of the desired body (Secrets' values as digests), what Git says of it, what the
 * server answered, and the marks of what was left out, which keeps the answer that it had. `answer` is the object that the server answered to an apply,
 * with `listKeys` learnt from it; without one nothing was sent (an `unchanged` effect whose Git values moved under a yielded field, or a hand-over).
 * A value that the server dropped is answered as null.
 */
export function declaredFields(input: {
  readonly desired: JsonObject
  readonly listKeys: ListKeys
  readonly effect: Pick<Effect, 'changes' | 'omit'>
  readonly held: readonly DeclaredField[]
  readonly answer?: JsonObject
}): DeclaredField[] {
  const { answer, effect } = input
  const before = new Map(input.held.map((field) => [field.path, field]))
  const omitted = new Set(effect.omit)
  const marks = new Map<FieldPath, 'yielded' | 'held'>()
  for (const { path, state } of effect.changes) {
    if ((state === 'yielded' || state === 'held') && (answer === undefined || omitted.has(path))) marks.set(path, state)
  }
  return declaredPaths(input.desired, input.listKeys).map((path) => {
    const git = readPath(input.desired, path) ?? null
    const mark = marks.get(path)
    const was = before.get(path)
    const kept: Json | undefined = was === undefined || was.answered !== undefined ? was?.answered : was.git
    const answered = answer === undefined || mark !== undefined ? kept : (readPath(answer, path) ?? null)
    return { path, git, ...(answered === undefined || equalJson(answered, git) ? {} : { answered }), ...(mark === undefined ? {} : { mark }) }
  })
}
