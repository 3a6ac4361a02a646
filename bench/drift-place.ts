/** A process of its own for `bench/drift.ts`: an API server with so many objects, and a store that holds all of them. Arguments: a folder, and how many. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { kubernetes } from '#drivers/kubernetes/kubernetes.ts'
import { systemClock } from '#lib/clock.ts'
import type { DeclaredField, Held } from '#model/plan.ts'
import { startApiServer } from '#playground/api/api-server.ts'
import { openStore } from '#store/open.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import { saveStatus } from '#store/statuses.ts'
import type { Store } from '#store/sql.ts'

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const nameOf = (i: number): string => `o-${i}`
const text = 'x'.repeat(300)
export const declared: readonly DeclaredField[] = [
  { path: 'data.a', git: '1' }, { path: 'data.text', git: text }, { path: 'metadata.labels["app.kubernetes.io/part-of"]', git: 'bench' }, { path: 'metadata.labels["plumbline.dev/module"]', git: 'bench' },
]

export function held(i: number, uid: string, place: string): Held {
  return { place, key: `core/ConfigMap/bench/${nameOf(i)}`, uid, environment: 'staging', module: 'bench', desired: 'sha256:1', fields: declared, run: 'run-1', apiVersion: 'v1' }
}

/** What it is told: edit so many objects, one every so many milliseconds, spread over all; and end. */
export type Order = { readonly edits: number; readonly everyMs: number } | 'end'

async function serve(dir: string, count: number): Promise<void> {
  const server = await startApiServer({ dir: join(dir, 'server'), port: 0, clock: systemClock, name: 'bench', namespaceLifecycle: false })
  const uids = Array.from({ length: count }, (_, i) => {
    const labels = { 'app.kubernetes.io/part-of': 'bench', 'plumbline.dev/module': 'bench' }
    return server.objects.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: nameOf(i), namespace: 'bench', labels }, data: { a: '1', text } } as never, 'plumbline').metadata.uid ?? ''
  })
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'bench', contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') } }], users: [{ name: 'bench', user: { token: server.adminToken } }],
  }))
  const client = await openKubernetes({ kubeconfig, context: 'bench', clock: systemClock })
  const { place } = await kubernetes.identify({ clients: { kubernetes: client }, clock: systemClock, signal: new AbortController().signal } as never)
  await client.close()
  await keep(dir, uids.map((uid, i) => held(i, uid, place ?? '')))
  process.send?.('ready')
  for (;;) {
    const [order] = (await once(process, 'message')) as [Order]
    if (order === 'end') break
    await edit(server, count, order)
    process.send?.('edited')
  }
  await server.stop()
  process.disconnect()
}

async function keep(dir: string, rows: readonly Held[]): Promise<void> {
  const store = await openStore({ dir: join(dir, 'store') }, systemClock)
  await fill(store, rows)
  await saveSnapshot(store, { id: 'snapshot', commits: {} }, Date.now())
  await saveStatus(store, {
    environment: 'staging', module: 'bench', repository: 'bench', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'passed', readinessOnly: true,
    intent: 'i', delivered: 'i', snapshot: 'snapshot', snapshotSeq: 1, run: null, verifiedSince: null, failure: null, updatedAt: Date.now(),
  } as Parameters<typeof saveStatus>[1])
  await store.close()
}

async function fill(store: Store, rows: readonly Held[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    await store.query(
      `insert into inventory (place, key, uid, environment, module, desired, fields, run, api_version)
       select place, key, uid, environment, module, desired, fields, run, "apiVersion" from jsonb_to_recordset($1::jsonb) as row (place text, key text, uid text, environment text, module text, desired text, fields jsonb, run text, "apiVersion" text)`,
      [rows.slice(from, from + 1_000)],
    )
  }
}

/** As another hand would: through the server's door, with another field manager. */
async function edit(server: { readonly url: string; readonly ca: string; readonly adminToken: string }, count: number, { edits, everyMs }: Exclude<Order, 'end'>): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const patch = (name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/merge-patch+json' }
      const sent = request(`${server.url}/api/v1/namespaces/bench/configmaps/${name}?fieldManager=kubectl-patch`, { method: 'PATCH', agent, ca: server.ca, headers }, (response) => response.resume().on('end', resolve))
      sent.on('error', reject).end('{"data":{"a":"by hand"}}')
    })
  const step = Math.floor(count / edits)
  const answered: Promise<void>[] = []
  for (let i = 0; i < edits; i += 1) {
    answered.push(patch(nameOf(i * step)))
    await systemClock.sleep(everyMs)
  }
  await Promise.all(answered)
  agent.destroy()
}

const [, main, dir = '', count = '0'] = process.argv
if (main === import.meta.filename) await serve(dir, Number(count))
