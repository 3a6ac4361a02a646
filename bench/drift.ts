/**
 * How soon an edit by another hand is a durable finding, and what watching costs: `node bench/drift.ts [objects] [edits]` (40000 and 1000). The API server runs in a
 * process of its own, the watcher here with the real driver, on the embedded store. It exits with 1 where a promise is broken: 60 ms from the watch event to
 * the committed finding (99th percentile), and 250 MB for the index of 100,000 objects (counted here for as many as there are).
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import type { Driver, Sighting } from '#drivers/driver.ts'
import { kubernetes as kubernetesDriver } from '#drivers/kubernetes/kubernetes.ts'
import { systemClock } from '#lib/clock.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { DeclaredField, Held } from '#model/plan.ts'
import { startApiServer } from '#playground/api/api-server.ts'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import { LiveIndex } from '#run/drift/live-index.ts'
import { tellDrift } from '#run/drift/tell.ts'
import { startWatching } from '#run/drift/watch-loop.ts'
import type { Parts } from '#run/parts.ts'
import { openStore } from '#store/open.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Sql, Store } from '#store/sql.ts'
import { saveStatus } from '#store/statuses.ts'
import { watches } from '#store/watches.ts'
import { Worker } from '#store/worker.ts'

type Address = { readonly url: string; readonly ca: string; readonly adminToken: string }

const configMaps = { group: '', version: 'v1', plural: 'configmaps' }
const nameOf = (i: number): string => `o-${i}`
const keyOf = (i: number): string => `core/ConfigMap/bench/${nameOf(i)}`
const text = 'x'.repeat(300)
const declared: readonly DeclaredField[] = [
  { path: 'data.a', git: '1' }, { path: 'data.text', git: text }, { path: 'metadata.labels["app.kubernetes.io/part-of"]', git: 'bench' }, { path: 'metadata.labels["plumbline.dev/module"]', git: 'bench' },
]

/** The child: a server with so many objects, until it is told to end. */
async function serve(dir: string, count: number): Promise<void> {
  const server = await startApiServer({ dir, port: 0, clock: systemClock, name: 'bench', namespaceLifecycle: false })
  const uids: string[] = []
  for (let i = 0; i < count; i += 1) {
    const { metadata } = server.objects.create(
      configMaps,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: nameOf(i), namespace: 'bench', labels: { 'app.kubernetes.io/part-of': 'bench', 'plumbline.dev/module': 'bench' } }, data: { a: '1', text } } as never,
      'plumbline',
    )
    uids.push(metadata.uid ?? '')
  }
  process.send?.({ url: server.url, ca: server.ca, adminToken: server.adminToken, uids })
  await once(process, 'message')
  await server.stop()
  process.disconnect()
}

function held(i: number, uid: string, place: string): Held {
  return { place, key: keyOf(i), uid, environment: 'staging', module: 'bench', desired: 'sha256:1', fields: declared, run: 'run-1', apiVersion: 'v1' }
}

async function fill(store: Store, rows: readonly Held[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 1_000) {
    await store.query(
      `insert into inventory (place, key, uid, environment, module, desired, fields, run, api_version)
       select place, key, uid, environment, module, desired, fields, run, "apiVersion" from jsonb_to_recordset($1::jsonb) as row (place text, key text, uid text, environment text, module text, desired text, fields jsonb, run text, "apiVersion" text)`,
      [rows.slice(at, at + 1_000)],
    )
  }
}

/** The store, which tells when a transaction that made findings true has been committed. */
function noting(store: Store, committed: (key: string) => void): Store {
  const transaction = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const result = await store.transaction(work)
    const { looked = [] } = (result ?? {}) as { looked?: { key?: string; said?: string }[] }
    for (const one of looked) if (one.said === 'drifted' && one.key !== undefined) committed(one.key)
    return result
  }
  return { kind: store.kind, query: (sql, params) => store.query(sql, params), transaction, script: (sql) => store.script(sql), listen: (channel, heard) => store.listen(channel, heard), holdLock: (space, key, lost) => store.holdLock(space, key, lost), close: () => store.close() }
}

/** The real driver, which tells when an event has come. */
function timed(heard: (key: string) => void): Driver {
  return {
    ...kubernetesDriver,
    async *watch(call, kind) {
      for await (const one of kubernetesDriver.watch(call, kind) as AsyncIterable<Sighting>) {
        if (one.state === 'seen') heard(one.key)
        yield one
      }
    },
  } as Driver
}

const at = (sorted: readonly number[], part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Objects of which each declares ten keys of its own: what costs an index most. */
function ownKeys(count: number): Held[] {
  return Array.from({ length: count }, (_, i) => ({ ...held(i, `uid-${i}`, ''), fields: [...Array.from({ length: 10 }, (__, key) => ({ path: `data.key-${i}-${key}`, git: '1' })), ...declared.slice(2)] }))
}

/** What the index alone costs, in bytes. */
function indexCost(rows: readonly Held[]): number {
  const used = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = used()
  const index = new LiveIndex()
  // As they come from the store: each name a text of its own.
  for (const row of rows) index.expect({ ...row, key: Buffer.from(row.key).toString() })
  const cost = used() - before
  if (index.size !== rows.length) throw new Error('the index does not hold what it was given')
  return cost
}

async function measure(objects: number, edits: number): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-drift-'))
  const child = fork(import.meta.filename, [join(dir, 'server'), String(objects), 'serve'])
  const [address] = (await once(child, 'message')) as [Address & { uids: string[] }]
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'bench', contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server: address.url, 'certificate-authority-data': Buffer.from(address.ca).toString('base64') } }], users: [{ name: 'bench', user: { token: address.adminToken } }],
  }))
  const heardAt = new Map<string, number>()
  const committedAt = new Map<string, number>()
  const base = await openStore({ dir: join(dir, 'store') }, systemClock)
  const store = noting(base, (key) => void (committedAt.has(key) || committedAt.set(key, performance.now())))
  const client = await openKubernetes({ kubeconfig, context: 'bench', clock: systemClock })
  const driver = timed((key) => void heardAt.set(key, performance.now()))
  const document = environmentSchema({}).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'staging' }, spec: { tier: 'staging', targets: { cluster: { kubernetes: { context: 'bench' } } } } })
  const configuration = { environments: new Map([['staging', document]]), modules: new Map(), workspace: { spec: { repositories: {} } }, problems: [], broken: [] }
  const parts = {
    sql: store, clock: systemClock, drivers: [driver], kubernetes: async () => client, secretDigest: (value: string) => value, signer: signerOf(newKeyPair().privatePem), redactor: { redact: (said: string) => said },
    configurations: { of: async () => configuration }, repositories: { readers: () => ({}) }, log: (line: string) => console.log(line),
  } as unknown as Parts
  const identity = await driver.identify({ clients: { kubernetes: client }, clock: systemClock, signal: new AbortController().signal } as never)
  const rows = address.uids.map((uid, i) => held(i, uid, identity.place ?? ''))
  // What was received before is let go of by the time that it counts.
  const ownCost = indexCost(ownKeys(objects))
  const cost = indexCost(rows)
  await fill(base, rows)
  await saveSnapshot(base, { id: 'snapshot', commits: {} }, Date.now())
  await saveStatus(base, {
    environment: 'staging', module: 'bench', repository: 'bench', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'passed', readinessOnly: true,
    intent: 'i', delivered: 'i', snapshot: 'snapshot', snapshotSeq: 1, run: null, verifiedSince: null, failure: null, updatedAt: Date.now(),
  } as Parameters<typeof saveStatus>[1])
  rows.length = 0
  const rss = process.memoryUsage().rss
  const began = performance.now()
  const cpu = process.cpuUsage()
  const watching = await startWatching(parts, store)
  const teller = new Worker({ store, clock: systemClock, concurrency: 1, handlers: { 'drift/': (key) => tellDrift(parts, key.slice('drift/'.length)) } })
  teller.start()
  while ((await watches(base, Date.now()))[0]?.state !== 'watching') await systemClock.sleep(20)
  const listed = performance.now() - began
  const used = process.cpuUsage(cpu)
  const after = process.memoryUsage().rss

  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const patch = (name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${address.adminToken}`, 'content-type': 'application/merge-patch+json' }
      const sent = request(`${address.url}/api/v1/namespaces/bench/configmaps/${name}?fieldManager=kubectl-patch`, { method: 'PATCH', agent, ca: address.ca, headers }, (response) => response.resume().on('end', resolve))
      sent.on('error', reject).end('{"data":{"a":"by hand"}}')
    })
  heardAt.clear()
  // Fifty a second, spread over all of them.
  const step = Math.floor(objects / edits)
  const answered: Promise<void>[] = []
  for (let i = 0; i < edits; i += 1) {
    answered.push(patch(nameOf(i * step)))
    await systemClock.sleep(20)
  }
  await Promise.all(answered)
  for (const end = Date.now() + 30_000; committedAt.size < edits && Date.now() < end; ) await systemClock.sleep(20)
  const waits = [...committedAt].map(([key, committed]) => committed - (heardAt.get(key) ?? Number.NaN)).sort((a, b) => a - b)
  const [found] = await base.query<{ count: number }>(`select count(*) as count from finding where state = 'open'`)

  console.log(`${objects} objects watched: first list compared in ${(listed / 1000).toFixed(1)} s, ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU; RSS ${megabytes(rss)} before, ${megabytes(after)} then`)
  console.log(`the index of ${objects} objects: ${megabytes(cost)}, ${Math.round(cost / objects)} bytes each; 100,000 of them: ${megabytes((cost / objects) * 100_000)}`)
  console.log(`where each declares ten keys of its own: ${Math.round(ownCost / objects)} bytes each; 100,000 of them: ${megabytes((ownCost / objects) * 100_000)}`)
  console.log(`${edits} edits, 50 a second: ${found?.count} findings; from the watch event to the committed finding: median ${at(waits, 0.5).toFixed(1)} ms, p99 ${at(waits, 0.99).toFixed(1)} ms, most ${at(waits, 1).toFixed(1)} ms`)
  await watching.stop()
  await teller.stop()
  await Promise.all([client.close(), base.close()])
  agent.destroy()
  child.send('end')
  await once(child, 'exit')
  rmSync(dir, { recursive: true, force: true })
  return found?.count === edits && at(waits, 0.99) <= 60 && (Math.max(cost, ownCost) / objects) * 100_000 <= 250 * 1024 * 1024
}

const [, , first = '40000', second = '1000', mode = 'measure'] = process.argv
if (mode === 'serve') await serve(first, Number(second))
else process.exitCode = (await measure(Number(first), Number(second))) ? 0 : 1
