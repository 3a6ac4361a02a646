import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { showKey, type Desired, type ObjectKey } from '#model/resource.ts'

/** An object that a module declares, at the place behind its target. */
export type Declared = { readonly place: string; readonly module: string; readonly desired: Pick<Desired, 'key' | 'origin'> }

/** One `object-declared-twice` for each object that more than one manifest declares at one place, sorted; both modules, files and lines are named. */
export function duplicates(declared: readonly Declared[]): Failure[] {
  const byObject = new Map<string, { readonly key: ObjectKey; readonly all: Declared[] }>()
  for (const one of declared) {
    const id = JSON.stringify([one.place, one.desired.key])
    const same = byObject.get(id)
    if (same === undefined) byObject.set(id, { key: one.desired.key, all: [one] })
    else same.all.push(one)
  }
  return [...byObject.entries()]
    .filter(([, { all }]) => all.length > 1)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { key, all }]) => declaredTwice(key, all))
}

/**
 * What becomes of modules that declare the same object at the same place: the one that holds it keeps it, and each of the others is at fault; where none
 * of them holds it, all are. A module of an unlimited repository (`allow: everything`) wins over those of limited ones, whoever holds it. `standing` is
 * what is declared without the claims of those at fault, so that no object is in it twice.
 */
export function contested(declared: readonly Declared[], holder: (place: string, key: ObjectKey) => string | undefined, isUnlimited: (module: string) => boolean = () => false): { readonly failures: ReadonlyMap<string, FailureJson>; readonly standing: readonly Declared[] } {
  const failures = new Map<string, FailureJson>()
  const lost = new Set<Declared>()
  const byObject = Map.groupBy(declared, ({ place, desired }) => JSON.stringify([place, desired.key]))
  for (const [, all] of [...byObject].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [first] = all
    if (first === undefined || all.length === 1) continue
    const { place, desired: { key } } = first
    const strong = all.filter(({ module }) => isUnlimited(module))
    const holding = (strong.length > 0 ? strong : all).filter(({ module }) => strong.length === 1 || module === holder(place, key))
    const failure = declaredTwice(key, all).toJSON()
    for (const one of all) {
      if (holding.length === 1 && one === holding[0]) continue
      lost.add(one)
      if (!failures.has(one.module)) failures.set(one.module, failure)
    }
  }
  return { failures, standing: declared.filter((one) => !lost.has(one)) }
}

function declaredTwice(key: ObjectKey, all: readonly Declared[]): Failure {
  const places = all.map(({ module, desired: { origin } }) => `${module} (${origin.repository}: ${origin.file}:${origin.line})`).sort()
  const modules = [...new Set(all.map(({ module }) => module))].sort()
  return new Failure({
    code: 'object-declared-twice',
    subject: showKey(key),
    message: `${showKey(key)} is declared ${all.length === 2 ? 'twice' : `${all.length} times`}: by ${places.join(' and by ')}`,
    hint: modules.length > 1 ? 'An object belongs to one module: remove it from the others.' : `Remove all but one of them from ${modules[0] ?? 'the module'}.`,
    fields: { modules, places },
  })
}
