import { equalJson, isObject, type Json } from '#lib/json.ts'
import { formatPath, isWithin, parsePath, readPath } from './field-path.ts'
import { ownerName, ownershipOf, type Ownership } from './field-set.ts'
import type { DeclaredField, FieldChange, FieldPath, Observation, Owner } from './plan.ts'

export type Present = Extract<Observation, { state: 'present' }>

/** The field manager that Plumbline applies as. */
export const plumbline = 'plumbline'

/**
 * What is known of one declared field.
 *
 * `git`: what Git says of it now, held against what Git said at our last acknowledged apply (`added`: that apply did not declare it).
 * `asGit`: the live value is what Git says. `asAnswered`: it is what the server answered to that apply, so that nobody moved it in substance.
 * `ours`, `others`: who owns it now (both: co-owned). `delegated`: to a controller that rightly moves it, and is there now: that it was so once says nothing.
 */
export type FieldFacts = {
  readonly git: 'added' | 'changed' | 'same'
  readonly asGit: boolean
  readonly asAnswered: boolean
  readonly ours: boolean
  readonly others: boolean
  readonly delegated: boolean
}

/** One path of a live object. `by`: who else owns it, or to whom it is delegated, for people. */
export type Seen = {
  readonly live?: Json
  readonly by?: string
  readonly ours: boolean
  readonly others: boolean
  readonly delegated: boolean
  readonly present: boolean
  /** The entries of the others, in the object's order. */
  readonly owners: readonly Owner[]
}

export type Sight = {
  readonly ownership: Ownership
  seen(path: FieldPath): Seen
  /** Whether a value is what is live at a path: an empty map that Git says is also there where others own something below it. */
  same(path: FieldPath, git: Json, live: Json | undefined, value: Json | undefined): boolean
}

/** Looks at a live object, field by field, as the owner `manager`. */
export function sightOf(live: Present, manager: string): Sight {
  const ownership = ownershipOf(live)
  return {
    ownership,
    seen: (path) => {
      const value = readPath(live.body, path)
      const all = ownership.of(path)
      const owners = all.filter((owner) => !isOurs(owner, manager))
      const others = owners.map(ownerName)
      // An object without managed fields: the server gives them all to `before-first-apply` at our next apply, which then conflicts with it.
      if (live.owners.length === 0 && value !== undefined) others.push('before-first-apply')
      const to = live.delegated.find((delegated) => isWithin(path, delegated.path))?.to
      const by = to !== undefined && others.length > 0 ? to : others.length > 0 ? [...new Set(others)].sort().join(', ') : undefined
      return {
        ...(value === undefined ? {} : { live: value }),
        ...(by === undefined ? {} : { by }),
        ours: all.length > owners.length,
        others: others.length > 0,
        delegated: to !== undefined,
        present: value !== undefined,
        owners,
      }
    },
    same: (path, git, at, value) => isWideAt(ownership, path, git, at) || sameValue(value, at),
  }
}

/** An empty map that Git says, over what others put into it. */
export function isWideAt(ownership: Ownership, path: FieldPath, git: Json, live: Json | undefined): boolean {
  return isObject(git) && Object.keys(git).length === 0 && isObject(live) && ownership.below(path)
}

/** Only our Apply is ours: an Update under our name is another's entry to the server, and conflicts with us. */
export function isOurs(owner: Owner, manager: string): boolean {
  return owner.manager === manager && owner.operation === 'Apply' && owner.subresource === ''
}

/** What is known of a field that Git says `git` of. `was`: its row of the inventory. */
export function factsOf(sight: Sight, path: FieldPath, git: Json, seen: Seen, was: DeclaredField | undefined): FieldFacts {
  return {
    git: was === undefined ? 'added' : sameValue(was.git, git) ? 'same' : 'changed',
    asGit: sight.same(path, git, seen.live, git),
    asAnswered: was !== undefined && sight.same(path, git, seen.live, answeredOf(was)),
    ours: seen.ours,
    others: seen.others,
    delegated: seen.delegated,
  }
}

/** What the server answered to our last acknowledged apply of a field. */
export function answeredOf(field: DeclaredField): Json {
  return field.answered === undefined ? field.git : field.answered
}

/** A path's row of the inventory: its own, or the part of one that was declared as a whole (an atomic list that turned out to be keyed). */
export function heldFields(held: readonly DeclaredField[]): (path: FieldPath) => DeclaredField | undefined {
  const rows = new Map(held.map((field) => [field.path, field]))
  return (path) => {
    const own = rows.get(path)
    if (own !== undefined) return own
    const segments = parsePath(path)
    for (let depth = segments.length - 1; depth > 0; depth -= 1) {
      const whole = rows.get(formatPath(segments.slice(0, depth)))
      if (whole === undefined) continue
      const git = readPath(whole.git, segments.slice(depth))
      const answered = readPath(whole.answered, segments.slice(depth))
      return git === undefined ? undefined : { path, git, ...(answered === undefined ? {} : { answered }), ...(whole.mark === undefined ? {} : { mark: whole.mark }) }
    }
    return undefined
  }
}

const sent: readonly FieldChange['state'][] = ['added', 'changed', 'taken']

/** Whether a field that is sent has that value already: nothing changes there but who owns it. Of a Secret, whose values are left out, nobody can tell. */
export function isLiveAlready({ state, from, to }: FieldChange): boolean {
  return sent.includes(state) && from !== undefined && to !== undefined && sameValue(from, to)
}

/** No value and null are one: a server drops, or fills in, what was sent as null. */
export function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  return equalJson(a ?? null, b ?? null)
}
