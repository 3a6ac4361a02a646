import { equalJson } from '#lib/json.ts'
import { ownerName, ownershipOf } from './field-set.ts'
import { readPath } from './field-path.ts'
import type { FieldPath, Observation, Sealed } from './plan.ts'

/**
 * Seals what an approval stands on: the object's UID, and for each path its live value and its owners. What is `absent` has no UID; of what is `unknown`
 * or `deferred` nothing can be sealed.
 */
export function seal(observation: Observation, paths: Iterable<FieldPath>): Sealed | undefined {
  if (observation.state !== 'present') return observation.state === 'absent' ? { uid: null, paths: [] } : undefined
  const owners = ownershipOf(observation)
  const sealed = [...new Set(paths)].sort().map((path) => {
    const live = readPath(observation.body, path)
    return { path, ...(live === undefined ? {} : { live }), owners: owners.of(path).map(ownerName).sort() }
  })
  return { uid: observation.uid, paths: sealed }
}

/**
 * What differs between what was sealed and what is there now, in one sentence; undefined where nothing does. Values are not told: they may be secret,
 * and the next plan shows them as it may. What cannot be known counts as moved: nothing is written on a guess.
 */
export function moved(sealed: Sealed, observation: Observation): string | undefined {
  const now = seal(observation, sealed.paths.map(({ path }) => path))
  if (now === undefined) return observation.state === 'unknown' ? 'the object could not be read' : 'the object’s kind is not served'
  if (now.uid !== sealed.uid) {
    if (sealed.uid === null) return 'the object exists by now; it did not when this was planned'
    return now.uid === null ? 'the object is gone' : 'the object was deleted and made again by somebody (its UID differs)'
  }
  if (sealed.uid === null) return undefined
  const byPath = new Map(now.paths.map((entry) => [entry.path, entry]))
  for (const before of sealed.paths) {
    const after = byPath.get(before.path)
    if (after === undefined || !equalJson(before.live, after.live)) return `the live value of ${before.path} changed since this was planned${by(after?.owners)}`
    const [was, is] = [[...before.owners].sort(), [...after.owners].sort()]
    if (!equalJson(was, is)) return `the owners of ${before.path} changed since this was planned: ${names(was)} before, ${names(is)} now`
  }
  return undefined
}

function by(owners: readonly string[] | undefined): string {
  return owners === undefined || owners.length === 0 ? '' : ` (now owned by ${owners.join(', ')})`
}

function names(owners: readonly string[]): string {
  return owners.length === 0 ? 'nobody' : owners.join(', ')
}
