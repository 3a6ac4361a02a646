import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import { ancestorsOf, formatPath, isWithin, parsePath, readPath } from '#model/field-path.ts'
import { declaredPaths, ownerName, ownershipOf, type Ownership } from '#model/field-set.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { DeclaredField, FieldChange, FieldPath, Observation, Owner } from '#model/plan.ts'
import { judge, judgeRemoved, judgeTaken, type Judgement } from './judge.ts'

export type Present = Extract<Observation, { state: 'present' }>

/** The field-level part of an effect. */
export type Fields = {
  /** Sorted by path. */
  readonly changes: readonly FieldChange[]
  readonly omit: readonly FieldPath[]
  readonly force: boolean
  /** Whether there is anything to apply. */
  readonly write: boolean
  /** The paths that an approval stands on: what is sent, what is removed, and what is left out although we (co-)own it. */
  readonly touched: readonly FieldPath[]
}

type Entry = { readonly path: FieldPath; judgement: Judgement; readonly live?: Json; readonly git?: Json; readonly by?: string; readonly ours: boolean; readonly isWide: boolean }

/**
 * Compares, field by field, what Git says now with what it said at our last acknowledged apply, what the server answered then, the live value and the
 * live owners. `held` is absent for an object that is taken over. Rows and reasons: `judge.ts`.
 */
export function compareFields(desired: JsonObject, held: readonly DeclaredField[] | undefined, live: Present, manager: string): Fields {
  const listKeys = listKeysOf(live.key, { body: live.body, owners: live.owners, declared: held?.map(({ path }) => path) ?? [] })
  const paths = declaredPaths(desired, listKeys)
  const ownership = ownershipOf(live)
  const look = looker(live, ownership, manager)
  const before = heldFields(held ?? [])
  const entries = paths.map((path): Entry => {
    const git = readPath(desired, path) ?? null
    const seen = look(path)
    const isWide = isObject(git) && Object.keys(git).length === 0 && isObject(seen.live) && ownership.below(path)
    const same = (value: Json | undefined): boolean => isWide || sameValue(value, seen.live)
    const was = before(path)
    const judgement =
      held === undefined
        ? judgeTaken({ ...seen, asGit: same(git) })
        : judge({
            ...seen,
            git: was === undefined ? 'added' : sameValue(was.git, git) ? 'same' : 'changed',
            asGit: same(git),
            asAnswered: was !== undefined && same(was.answered === undefined ? was.git : was.answered),
            yielded: was?.mark === 'yielded',
          })
    return { ...seen, path, git, judgement, isWide }
  })
  keepKeys(entries)
  return assemble([...entries, ...removals(desired, paths, held ?? [], live, manager).map((path): Entry => {
    const seen = look(path)
    return { ...seen, path, judgement: judgeRemoved(seen), isWide: false }
  })])
}

function assemble(entries: readonly Entry[]): Fields {
  const write = entries.some(({ judgement }) => judgement.write)
  const changes: FieldChange[] = []
  for (const { path, judgement, live, git, by } of entries) {
    if (judgement.state === undefined) continue
    const state = judgement.state === 'drifted' ? (write ? 'changed' : 'held') : judgement.state
    changes.push({ path, state, ...(git === undefined ? {} : { to: git }), ...(live === undefined ? {} : { from: live }), ...(by === undefined ? {} : { owner: by }) })
  }
  const touched = entries.filter((entry) => !entry.isWide && (entry.judgement.send || entry.judgement.write || entry.ours)).map(({ path }) => path)
  return {
    changes: changes.sort((a, b) => (a.path < b.path ? -1 : 1)),
    omit: write ? entries.filter(({ judgement, git }) => !judgement.send && git !== undefined).map(({ path }) => path).sort() : [],
    force: entries.some(({ judgement, live, git, by }) => judgement.state === 'contested' || (judgement.state === 'taken' && by !== undefined && !sameValue(git, live))),
    write,
    touched: touched.sort(),
  }
}

type Seen = { readonly live?: Json; readonly by?: string; readonly ours: boolean; readonly others: boolean; readonly delegated: boolean; readonly present: boolean }

function looker(live: Present, ownership: Ownership, manager: string): (path: FieldPath) => Seen {
  return (path) => {
    const value = readPath(live.body, path)
    const owners = ownership.of(path)
    const others = owners.filter((owner) => !isOurs(owner, manager)).map(ownerName)
    // An object without managed fields: the server gives them all to `before-first-apply` at our next apply, which then conflicts with it.
    if (live.owners.length === 0 && value !== undefined) others.push('before-first-apply')
    const to = live.delegated.find((delegated) => isWithin(path, delegated.path))?.to
    const by = to !== undefined && others.length > 0 ? to : others.length > 0 ? [...new Set(others)].sort().join(', ') : undefined
    return { ...(value === undefined ? {} : { live: value }), ...(by === undefined ? {} : { by }), ours: owners.some((owner) => isOurs(owner, manager)), others: others.length > 0, delegated: to !== undefined, present: value !== undefined }
  }
}

/** Only our Apply is ours: an Update under our name is another's entry to the server, and conflicts with us. */
function isOurs(owner: Owner, manager: string): boolean {
  return owner.manager === manager && owner.operation === 'Apply' && owner.subresource === ''
}

/** A path's row of the inventory: its own, or the part of one that was declared as a whole (an atomic list that turned out to be keyed). */
function heldFields(held: readonly DeclaredField[]): (path: FieldPath) => DeclaredField | undefined {
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

/**
 * What an apply of the desired body would give up: what we declared, and what the server says is ours, that the body no longer declares. What is now
 * declared in another grain (a list as a whole, or its items) does not go.
 */
function removals(desired: JsonObject, paths: readonly FieldPath[], held: readonly DeclaredField[], live: Present, manager: string): FieldPath[] {
  const declared = new Set(paths)
  const ours = live.owners.filter((owner) => isOurs(owner, manager)).flatMap((owner) => owner.paths)
  const above = new Set(paths.flatMap((path) => ancestorsOf(path)))
  const isWhole = (path: FieldPath): boolean => declared.has(path) && !isEmptyMap(readPath(desired, path))
  return [...new Set([...held.map(({ path }) => path), ...ours])].filter(
    (path) => !declared.has(path) && !above.has(path) && !isWithin(path, 'status') && !ancestorsOf(path).some(isWhole),
  )
}

/** An item cannot be sent without its keys: they are left out only with all the rest of it. */
function keepKeys(entries: Entry[]): void {
  for (const entry of entries) {
    if (entry.judgement.send) continue
    const segments = parsePath(entry.path)
    const [item, field] = segments.slice(-2)
    if (item === undefined || !('keys' in item) || field === undefined || !('field' in field) || !Object.hasOwn(item.keys, field.field)) continue
    const place = formatPath(segments.slice(0, -1))
    if (entries.some((other) => other.judgement.send && isWithin(other.path, place))) {
      entry.judgement = { send: true, write: false, ...(entry.live === undefined ? { state: 'drifted' as const } : {}) }
    }
  }
}

function isEmptyMap(value: Json | undefined): boolean {
  return isObject(value) && Object.keys(value).length === 0
}

/** No value and null are one: a server drops, or fills in, what was sent as null. */
function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  return equalJson(a ?? null, b ?? null)
}
