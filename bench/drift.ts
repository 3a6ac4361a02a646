/**
 * How soon an edit by another hand is a durable finding, and what watching costs: `node bench/drift.ts [objects] [edits] [most objects]` (40000, 1000 and 100000).
 * The API server runs in a process of its own, which makes the edits too; the watcher in another, with the real driver and the embedded store. It exits with 1 where a
 * promise is broken: 60 ms from the watch event to the committed finding (99th percentile), and 250 MB for what watching 100,000 objects takes: of memory that the
 * process holds (RSS, measured from before it begins to watch), and of the index alone, also where each object declares keys of its own.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import type { Driver, Sighting } from '#drivers/driver.ts'
import { kubernetes as kubernetesDriver } from '#drivers/kubernetes/kubernetes.ts'
import { systemClock } from '#lib/clock.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { Held } from '#model/plan.ts'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import { LiveIndex } from '#run/drift/live-index.ts'
import { tellDrift } from '#run/drift/tell.ts'
import { startWatching } from '#run/drift/watch-loop.ts'
import type { Parts } from '#run/parts.ts'
import { openStore } from '#store/open.ts'
import type { Sql, Store } from '#store/sql.ts'
import { watches } from '#store/watches.ts'
import { Worker } from '#store/worker.ts'
import { declared, held, type Order } from './drift-place.ts'
import { measureLoad } from './load.ts'

const promisedMs = 60
const promisedBytes = 250 * 1024 * 1024
const everyMs = 20
/** So many edits are told apart: code that runs for the first times is not compiled yet. */
const warm = 100

const at = (sorted: readonly number[], part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`
const collect = (): void => (globalThis as unknown as { gc: () => void }).gc()

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

/** What the index alone costs, in bytes an object. */
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
  return cost / rows.length
}

/** `own`: objects of which each declares ten keys of its own, what costs an index most. */
function measureIndex(objects: number): boolean {
  const alike = Array.from({ length: objects }, (_, i) => held(i, `uid-${i}`, ''))
  const own = alike.map((row, i): Held => ({ ...row, fields: [...Array.from({ length: 10 }, (_, key) => ({ path: `data.key-${i}-${key}`, git: '1' })), ...declared.slice(2)] }))
  const costs = [indexCost(own), indexCost(alike)]
  console.log(`the index: ${costs.map((cost) => `${Math.round(cost)} bytes an object, ${megabytes(cost * 100_000)} for 100,000`).join(' where each declares ten keys of its own; ')} where they declare the same ones`)
  return Math.max(...costs) * 100_000 <= promisedBytes
}

async function partsOf(dir: string, store: Store, driver: Driver): Promise<{ parts: Parts; close: () => Promise<void> }> {
  const client = await openKubernetes({ kubeconfig: join(dir, 'kubeconfig'), context: 'bench', clock: systemClock })
  const document = environmentSchema({}).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'staging' }, spec: { tier: 'staging', targets: { cluster: { kubernetes: { context: 'bench' } } } } })
  const configuration = { environments: new Map([['staging', document]]), modules: new Map(), workspace: { spec: { repositories: {} } }, problems: [], broken: [] }
  const parts = {
    sql: store, clock: systemClock, drivers: [driver], kubernetes: async () => client, secretDigest: (value: string) => value, signer: signerOf(newKeyPair().privatePem), redactor: { redact: (said: string) => said },
    configurations: { of: async () => configuration }, repositories: { readers: () => ({}) }, log: (line: string) => console.log(`  ${line}`),
  } as unknown as Parts
  return { parts, close: () => client.close() }
}

async function measureWatch(objects: number, edits: number): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-drift-'))
  const place = fork(join(import.meta.dirname, 'drift-place.ts'), [dir, String(objects)])
  await once(place, 'message')
  const heardAt = new Map<string, number>()
  const committedAt = new Map<string, number>()
  const base = await openStore({ dir: join(dir, 'store') }, systemClock)
  const store = noting(base, (key) => void (committedAt.has(key) || committedAt.set(key, performance.now())))
  const { parts, close } = await partsOf(dir, store, timed((key) => void heardAt.set(key, performance.now())))
  collect()
  const before = process.memoryUsage.rss()
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  const watching = await startWatching(parts, store)
  const teller = new Worker({ store, clock: systemClock, concurrency: 1, handlers: { 'drift/': (key) => tellDrift(parts, key.slice('drift/'.length)) } })
  teller.start()
  while ((await watches(base, Date.now()))[0]?.state !== 'watching') await systemClock.sleep(20)
  const listed = performance.now() - began
  const used = process.cpuUsage(cpu)
  const most = process.resourceUsage().maxRSS * 1024
  heardAt.clear()
  collect()
  const after = process.memoryUsage.rss()
  console.log(`${objects} objects: the first list compared in ${(listed / 1000).toFixed(1)} s, ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU; RSS ${megabytes(before)} before, ${megabytes(after)} then (${megabytes(after - before)} more), ${megabytes(most)} at most`)

  const promises = [after - before <= promisedBytes]
  if (edits > 0) {
    const load = measureLoad({ 'the API server': place.pid ?? 0 })
    place.send({ edits, everyMs } satisfies Order)
    await once(place, 'message')
    for (const end = Date.now() + 30_000; committedAt.size < edits && Date.now() < end; ) await systemClock.sleep(20)
    const lines = load()
    const inTurn = [...committedAt].map(([key, committed]) => committed - (heardAt.get(key) ?? Number.NaN))
    const sorted = (some: readonly number[]): number[] => some.toSorted((a, b) => a - b)
    const [waits, first, rest] = [sorted(inTurn), sorted(inTurn.slice(0, warm)), sorted(inTurn.slice(warm))]
    const [found] = await base.query<{ count: number }>(`select count(*) as count from finding where state = 'open'`)
    console.log(`${edits} edits, ${1000 / everyMs} a second: ${found?.count} findings; from the watch event to the committed finding: median ${at(waits, 0.5).toFixed(1)} ms, p99 ${at(waits, 0.99).toFixed(1)} ms, most ${at(waits, 1).toFixed(1)} ms`)
    console.log(`  of the first ${warm}, while the process is new: p99 ${at(first, 0.99).toFixed(1)} ms; of the others: p99 ${at(rest, 0.99).toFixed(1)} ms`)
    for (const line of lines) console.log(line)
    promises.push(found?.count === edits && at(waits, 0.99) <= promisedMs)
  }
  await watching.stop()
  await teller.stop()
  await Promise.all([close(), base.close()])
  place.send('end' satisfies Order)
  await once(place, 'exit')
  rmSync(dir, { recursive: true, force: true })
  return !promises.includes(false)
}

/** Each part in a process of its own: what one has used before is no memory of the next. */
async function apart(...part: (string | number)[]): Promise<boolean> {
  const child = fork(import.meta.filename, part.map(String), { execArgv: ['--expose-gc'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0 && code !== 1) throw new Error(`${part.join(' ')} ended with ${code}`)
  return code === 0
}

const [, , first = '40000', second = '1000', third = '100000'] = process.argv
if (first === 'watch') process.exitCode = (await measureWatch(Number(second), Number(third))) ? 0 : 1
else if (first === 'index') process.exitCode = measureIndex(Number(second)) ? 0 : 1
else {
  const kept = [await apart('index', third), await apart('watch', third, 0), await apart('watch', first, second)]
  if (kept.includes(false)) console.log(`broken: ${['250 MB for the index', '250 MB for the process', `${promisedMs} ms`].filter((_, i) => kept[i] === false).join(', ')}`)
  process.exitCode = kept.includes(false) ? 1 : 0
}
