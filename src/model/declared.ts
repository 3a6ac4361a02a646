import { equalJson, type Json, type JsonObject } from '#lib/json.ts'
import { readPath } from './field-path.ts'
import { declaredPaths } from './field-set.ts'
import type { ListKeys } from './list-keys.ts'
import type { DeclaredField, Effect, FieldPath } from './plan.ts'

/** What a server answered to an apply. `own`: the paths that it says are ours; left out where it keeps no such books. */
type Answer = { readonly body: JsonObject; readonly own?: readonly FieldPath[] | undefined }

/**
 * What the inventory holds of an object after an effect: what is ours of the desired body (Secrets' values as digests), what Git says of it and what the
 * server answered; and, marked, what was left out. `listKeys` are learnt from the answer; without one nothing was sent (an `unchanged` effect whose Git
 * values moved under a yielded field, or a hand-over), and the answers stay. A value that the server dropped is answered as null. What was
 * yielded stays marked so until it is sent again, also while whom it was yielded to is gone. Sorted by path.
 */
export function declaredFields(input: {
  readonly desired: JsonObject
  readonly listKeys: ListKeys
  readonly effect: Pick<Effect, 'changes' | 'omit'>
  readonly held: readonly DeclaredField[]
  readonly answer?: Answer
}): DeclaredField[] {
  const { answer, desired, effect } = input
  const before = new Map(input.held.map((field) => [field.path, field]))
  const states = new Map(effect.changes.map(({ path, state }) => [path, state]))
  const omitted = new Set(effect.omit)
  const marked = (path: FieldPath): boolean => (answer === undefined ? ['yielded', 'held'].includes(states.get(path) ?? '') : omitted.has(path))
  const own = answer?.own?.filter((path) => !omitted.has(path))
  return [...(own === undefined ? declaredPaths(desired, input.listKeys) : [...own, ...omitted])].sort().map((path): DeclaredField => {
    const wanted = readPath(desired, path)
    if (answer !== undefined && !marked(path)) {
      const live = readPath(answer.body, path)
      return field(path, wanted ?? live ?? null, live ?? null)
    }
    // What the server once answered to this very value is still what it means; to another one it has answered nothing.
    const was = before.get(path)
    const git = wanted ?? null
    const answered = was !== undefined && equalJson(was.git, git) ? was.answered : undefined
    return { ...field(path, git, answered), ...(marked(path) ? { mark: states.get(path) === 'yielded' || was?.mark === 'yielded' ? 'yielded' : 'held' } : {}) }
  })
}

function field(path: FieldPath, git: Json, answered: Json | undefined): DeclaredField {
  return { path, git, ...(answered === undefined || equalJson(answered, git) ? {} : { answered }) }
}
