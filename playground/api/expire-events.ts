import type { Backend } from './backend.ts'

const eventResource = '/events'
const lifetimeMs = 3_600_000 // as in a real cluster

/** Events are gone an hour after they last changed: looked at when another one is written. Returns what ends it. */
export function expireEvents(backend: Backend): () => void {
  const waiting: { key: string; version: string; at: number }[] = []
  const take = (key: string, version: string, at: number): void => {
    waiting.push({ key, version, at })
  }
  for (const event of backend.storage.list(eventResource)) {
    const at = Date.parse(String(event.lastTimestamp ?? event.metadata.creationTimestamp))
    take(`${event.metadata.namespace ?? ''}/${event.metadata.name ?? ''}`, event.metadata.resourceVersion ?? '', Number.isNaN(at) ? backend.clock.now() : at)
  }
  waiting.sort((a, b) => a.at - b.at)
  return backend.storage.subscribe((change) => {
    if (change.resource !== eventResource || change.type === 'DELETED') return
    const now = backend.clock.now()
    take(change.key, change.object.metadata.resourceVersion ?? '', now)
    for (let first = waiting[0]; first !== undefined && first.at < now - lifetimeMs; first = waiting[0]) {
      waiting.shift()
      const event = backend.storage.get(eventResource, first.key)
      if (event !== undefined && event.metadata.resourceVersion === first.version) backend.storage.write('DELETED', eventResource, event)
    }
  })
}
