import { managerKey, type Managers, type Owned } from './managers.ts'

const most = 10

/**
 * With more than ten updaters, the oldest of them are joined to one entry a version, named `ancient-changes`.
 * Source: apimachinery `managedfields/internal/capmanagers.go`.
 */
export function capManagers(managers: Managers): Managers {
  const updaters = [...managers.owned].filter(([, { id }]) => id.operation === 'Update')
  if (updaters.length <= most) return managers
  const owned = new Map(managers.owned)
  const times = new Map(managers.times)
  const seconds = (key: string) => Date.parse(times.get(key) ?? '1970-01-01T00:00:00Z')
  updaters.sort(([a], [b]) => seconds(a) - seconds(b) || (a < b ? -1 : 1))
  const firsts = new Map<string, string>()
  let left = updaters.length
  for (const [key, updater] of updaters) {
    if (left <= most) break
    const first = firsts.get(updater.apiVersion)
    if (first === undefined) {
      firsts.set(updater.apiVersion, key)
      continue
    }
    const id = { manager: 'ancient-changes', operation: 'Update', apiVersion: updater.apiVersion, subresource: '' } as const
    const bucket = managerKey(id)
    const joined = owned.get(bucket) ?? (owned.get(first) as Owned)
    if (!owned.has(bucket)) owned.delete(first)
    owned.delete(key)
    owned.set(bucket, { id, apiVersion: updater.apiVersion, set: joined.set.union(updater.set) })
    const time = times.get(key)
    if (time === undefined) times.delete(bucket)
    else times.set(bucket, time)
    left--
  }
  return { owned, times }
}
