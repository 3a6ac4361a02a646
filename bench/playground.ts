/**
 * What the playground's API server does in a second, beside what a real one did: `node bench/playground.ts [objects]`.
 * The server runs in a process of its own, so that its memory is told alone. It exits with 1 where a promise is broken: 600 MB, a second to start,
 * and no slower than the real one.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { type ApiServer, startApiServer } from '#playground/api/api-server.ts'
import { AuditFile } from '#playground/api/audit/audit-file.ts'

type Address = { readonly url: string; readonly ca: string; readonly adminToken: string; readonly startMs: number }

const start = async (dir: string): Promise<{ server: ApiServer; startMs: number }> => {
  const before = performance.now()
  const server = await startApiServer({ dir, port: 0, clock: systemClock, name: 'bench', namespaceLifecycle: false })
  server.auditTo(new AuditFile({ path: join(dir, 'audit.log'), clock: systemClock, log: console.error })) // as a cluster's
  return { server, startMs: performance.now() - before }
}

/** The child: a server in a folder, until it is told to end. */
async function serve(dir: string): Promise<void> {
  const { server, startMs } = await start(dir)
  process.send?.({ url: server.url, ca: server.ca, adminToken: server.adminToken, startMs } satisfies Address)
  await once(process, 'message')
  await server.stop()
  process.disconnect()
}

async function spawnServer(dir: string): Promise<Address & { readonly pid: number; readonly end: () => Promise<void> }> {
  const child = fork(import.meta.filename, [dir])
  const [address] = (await once(child, 'message')) as [Address]
  const end = async (): Promise<void> => {
    child.send('end')
    await once(child, 'exit')
  }
  return { ...address, pid: child.pid ?? 0, end }
}

/** Megabytes: now, or the most that there ever were. */
function memoryOf(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`${which}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) / 1024
}

type Ask = (method: string, path: string, body?: object, type?: string) => Promise<{ readonly status: number; readonly text: string }>

function asker({ url, ca, adminToken }: Address, agent: Agent): Ask {
  return (method, path, body, type = 'application/json') =>
    new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, { method, agent, ca, headers: { authorization: `Bearer ${adminToken}`, 'content-type': type } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
      })
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
}

/** Runs `work` for each of `count`, 16 at a time; how many a second. */
async function rate(count: number, work: (i: number) => Promise<{ readonly status: number }>): Promise<number> {
  let next = 0
  const before = performance.now()
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const { status } = await work(i)
      if (status >= 300) throw new Error(`answered with ${status}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  return count / ((performance.now() - before) / 1000)
}

const configMaps = '/api/v1/namespaces/bench/configmaps'
const applied = 'application/apply-patch+yaml'
const configMap = (i: number, round: number): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: `o-${i}`, labels: { app: 'bench', 'app.kubernetes.io/part-of': 'bench' } },
  data: { round: `${round}`, text: 'x'.repeat(380) },
})

/** Twenty clients that watch everything: how many events each has seen, and when the one for a name came. */
async function watchers(count: number, { url, ca, adminToken }: Address): Promise<{ seen: number[]; sawAt: Map<string, number>[]; end: () => void }> {
  const agent = new Agent({ keepAlive: true })
  const seen = Array.from({ length: count }, () => 0)
  const sawAt = Array.from({ length: count }, () => new Map<string, number>())
  const opened = seen.map(
    (_, w) =>
      new Promise<void>((resolve, reject) => {
        const sent = request(`${url}${configMaps}?watch=true`, { agent, ca, headers: { authorization: `Bearer ${adminToken}` } }, (response) => {
          resolve()
          let rest = ''
          response.setEncoding('utf8').on('data', (text: string) => {
            const lines = (rest + text).split('\n')
            rest = lines.pop() ?? ''
            seen[w] = (seen[w] ?? 0) + lines.length
            for (const line of lines) {
              const probe = /"name":"(probe-\d+)"/.exec(line)?.[1]
              if (probe !== undefined) sawAt[w]?.set(probe, performance.now())
            }
          })
          response.on('error', () => undefined)
        })
        sent.on('error', reject).end()
      }),
  )
  await Promise.all(opened)
  return { seen, sawAt, end: () => agent.destroy() }
}

async function measure(objects: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-playground-'))
  const rows: { what: string; here: number; real: number; unit: string; ratio: number }[] = []
  const promises: { what: string; value: number; most: number; unit: string }[] = []
  /** `real`: the middle of the range in the table of what a real API server costs. More is better for a rate, less for a time. */
  const row = (what: string, here: number, real: number, unit: 'a second' | 'ms'): void =>
    void rows.push({ what, here, real, unit, ratio: unit === 'ms' ? real / here : here / real })
  try {
    const one = await spawnServer(join(dir, 'one'))
    promises.push({ what: 'one server starts', value: one.startMs, most: 1000, unit: 'ms' })
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const ask = asker(one, agent)
    const watching = await watchers(20, one)
    row('apply that creates', await rate(objects, (i) => ask('PATCH', `${configMaps}/o-${i}?fieldManager=bench`, configMap(i, 0), applied)), 250, 'a second')
    row('apply that changes', await rate(objects, (i) => ask('PATCH', `${configMaps}/o-${i}?fieldManager=bench`, configMap(i, 1), applied)), 250, 'a second')
    row('apply that changes nothing', await rate(objects, (i) => ask('PATCH', `${configMaps}/o-${i}?fieldManager=bench`, configMap(i, 1), applied)), 325, 'a second')
    row('PUT', await rate(1000, (i) => ask('PUT', `${configMaps}/o-${i}?fieldManager=put`, configMap(i, 2))), 370, 'a second')
    row('GET', await rate(2000, (i) => ask('GET', `${configMaps}/o-${i % objects}`)), 1050, 'a second')
    row('POST', await rate(1000, (i) => ask('POST', `${configMaps.replace('bench', 'posted')}?fieldManager=post`, configMap(i, 0))), 460, 'a second')
    const before = performance.now()
    const items = (JSON.parse((await ask('GET', configMaps)).text) as { items: unknown[] }).items.length
    row('LIST, each object', (performance.now() - before) / items, 0.12, 'ms')
    const expected = objects * 2 + 1000
    while (watching.seen.some((count) => count < expected)) await new Promise((resolve) => setTimeout(resolve, 20))
    const waits = await latencies(ask, watching.sawAt)
    row('write to watch event, median', waits[Math.floor(waits.length * 0.5)] ?? Infinity, 7, 'ms')
    row('write to watch event, p99', waits[Math.floor(waits.length * 0.99)] ?? Infinity, 25, 'ms')
    promises.push({ what: `RSS with ${objects} objects and 20 watchers, at most`, value: memoryOf(one.pid, 'VmHWM'), most: 600, unit: 'MB' })
    promises.push({ what: 'RSS at the end', value: memoryOf(one.pid, 'VmRSS'), most: 600, unit: 'MB' })
    watching.end()
    agent.destroy()
    await one.end()
    const again = await spawnServer(join(dir, 'one'))
    promises.push({ what: `one server starts with ${objects} objects on disk`, value: again.startMs, most: 1000, unit: 'ms' })
    await again.end()
    const begun = performance.now()
    const three = await Promise.all(['a', 'b', 'c'].map((name) => start(join(dir, name))))
    promises.push({ what: 'three servers start in one process', value: performance.now() - begun, most: 1000, unit: 'ms' })
    await Promise.all(three.map(({ server }) => server.stop()))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  const number = (value: number): string => (value < 10 ? value.toFixed(3) : value.toFixed(0)).padStart(9)
  console.log(`${'operation'.padEnd(46)}${'here'.padStart(9)}${'real'.padStart(9)}  unit      times as fast`)
  for (const { what, here, real, unit, ratio } of rows) console.log(`${what.padEnd(46)}${number(here)}${number(real)}  ${unit.padEnd(8)}  ${ratio.toFixed(1)}`)
  console.log()
  for (const { what, value, most, unit } of promises) console.log(`${what.padEnd(55)}${number(value)} ${unit} of ${most}`)
  const broken = [...rows.filter(({ ratio }) => ratio < 1).map(({ what }) => what), ...promises.filter(({ value, most }) => value > most).map(({ what }) => what)]
  if (broken.length > 0) console.log(`\nnot kept: ${broken.join('; ')}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}

/** Milliseconds from sending a write to its event at each watcher, sorted. */
async function latencies(ask: Ask, sawAt: readonly Map<string, number>[]): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < 100; i += 1) {
    const name = `probe-${i}`
    const sent = performance.now()
    await ask('POST', configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
    while (sawAt.some((seen) => !seen.has(name))) await new Promise((resolve) => setTimeout(resolve, 1))
    for (const seen of sawAt) all.push((seen.get(name) ?? Infinity) - sent)
  }
  return all.sort((a, b) => a - b)
}

if (process.send !== undefined) await serve(process.argv[2] ?? '')
else await measure(Number(process.argv[2] ?? 5000))
