import { equalJson, type JsonObject } from '#lib/json.ts'
import { declaredPaths } from '#model/field-set.ts'
import { readPath } from '#model/field-path.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { DeclaredField, Effect, Held } from '#model/plan.ts'
import type { Desired } from '#model/resource.ts'
import { valuePath } from './body.ts'
import { manager } from './names.ts'
import type { Present } from './observed.ts'
import { withDigests } from './secret-values.ts'

/**
 * What is declared now: the fields that the server's answer says are ours, with what Git said and what the server made of it; and, marked, what was
 * left out of the apply. Sorted by path.
 */
export function declaredFields(effect: Effect, desired: Desired, sent: JsonObject, answer: Present, held: Held | undefined, secretDigest: (value: string) => string): DeclaredField[] {
  const git = withDigests(sent, secretDigest)
  const paths = ownPaths(answer) ?? declaredPaths(sent, listKeysOf(effect.key, answer))
  const declared = paths.map((path): DeclaredField => {
    const live = readPath(answer.body, path)
    const wanted = readPath(git, path) ?? live ?? null
    // What the server drops (an empty map, a null) it has answered with nothing.
    return { path, git: wanted, ...(equalJson(live ?? null, wanted) ? {} : { answered: live ?? null }) }
  })
  const own = new Set(paths)
  const left = leftOut(effect, desired, held, secretDigest).filter(({ path }) => !own.has(path))
  return [...declared, ...left].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** The paths of our own Apply, where the object has managed fields. */
export function ownPaths(object: Present): readonly string[] | undefined {
  return object.owners.find((owner) => owner.manager === manager && owner.operation === 'Apply' && owner.subresource === '')?.paths
}

function leftOut(effect: Effect, desired: Desired, held: Held | undefined, secretDigest: (value: string) => string): DeclaredField[] {
  const git = withDigests(desired.body, secretDigest)
  const before = new Map((held?.fields ?? []).map((field) => [field.path, field]))
  const marks = new Map(effect.changes.map((change) => [change.path, change.state]))
  return effect.omit.map((path): DeclaredField => {
    const declared = valuePath(desired.body, path)
    const wanted = readPath(git, declared) ?? null
    // What the server once answered to this very value is still what it means.
    const was = before.get(declared)
    const answered = was !== undefined && equalJson(was.git, wanted) ? was.answered : undefined
    return { path: declared, git: wanted, ...(answered === undefined ? {} : { answered }), mark: marks.get(path) === 'yielded' ? 'yielded' : 'held' }
  })
}
