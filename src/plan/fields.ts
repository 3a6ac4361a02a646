import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { factsOf, heldFields, isOurs, isWideAt, sameValue, sightOf, type Present } from '#model/field-facts.ts'
import { ancestorsOf, formatPath, isWithin, parsePath, readPath } from '#model/field-path.ts'
import { declaredPaths } from '#model/field-set.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { DeclaredField, FieldChange, FieldPath } from '#model/plan.ts'
import { judge, judgeRemoved, judgeTaken, type Judgement } from './judge.ts'

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

type Entry = { readonly path: FieldPath; judgement: Judgement; readonly live?: Json; readonly git?: Json; readonly by?: string; readonly ours: boolean; readonly isWide: boolean; readonly isRestored?: boolean }

/**
 * Compares, field by field, what Git says now with what it said at our last acknowledged apply, what the server answered then, the live value and the
 * live owners. `held` is absent for an object that is taken over. Rows and reasons: `judge.ts`. What `restore` names is sent whoever holds it now.
 */
export function compareFields(desired: JsonObject, held: readonly DeclaredField[] | undefined, live: Present, manager: string, restore: (path: FieldPath) => boolean = () => false): Fields {
  const listKeys = listKeysOf(live.key, { body: live.body, owners: live.owners, declared: held?.map(({ path }) => path) ?? [] })
  const paths = declaredPaths(desired, listKeys)
  const sight = sightOf(live, manager)
  const before = heldFields(held ?? [])
  const entries = paths.map((path): Entry => {
    const git = readPath(desired, path) ?? null
    const seen = sight.seen(path)
    const facts = factsOf(sight, path, git, seen, before(path))
    // What somebody rightly moves by now is no drift any more, and is not taken from them.
    const isRestored = held !== undefined && !facts.asGit && !(facts.others && facts.delegated) && restore(path)
    const judgement: Judgement = held === undefined ? judgeTaken({ ...seen, asGit: facts.asGit }) : isRestored ? { send: true, write: true, state: 'changed' } : judge(facts)
    return { ...seen, path, git, judgement, isRestored, isWide: isWideAt(sight.ownership, path, git, seen.live) }
  })
  keepKeys(entries)
  return assemble([...entries, ...removals(desired, paths, held ?? [], live, manager).map((path): Entry => {
    const seen = sight.seen(path)
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
    force: entries.some(({ judgement, live, git, by, isRestored }) => judgement.state === 'contested' || ((judgement.state === 'taken' || isRestored === true) && by !== undefined && !sameValue(git, live))),
    write,
    touched: touched.sort(),
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
