import { createHmac } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Client, ShowAnswer } from '#api/client.ts'
import { connect } from '#cli/connect.ts'
import { systemClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import { startApiServer } from '#playground/api/api-server.ts'
import type { ApiServer } from '#playground/api/api-server.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { Fixture } from '#source/fixture.ts'
import { openKeys } from '../../src/keys.ts'
import { startChild } from '../child.ts'
import type { Child } from '../child.ts'
import { layEmptyStore } from '../empty-store.ts'
import { eventually } from '../eventually.ts'
import { askAsAdministrator, smallWorkspace, writeKubeconfig } from './small-shop.ts'

/** A cluster without controllers and a repository in this process; control planes in processes of their own, which may be killed. */
export type CrashShop = {
  readonly cluster: ApiServer
  /** Starts a control plane in a folder of that name, or starts it again; the first one's keys are everybody's. */
  start(name?: string): Promise<Child>
  /** Of the control plane that was started last. */
  client(): Client
  /** Commits beside what is there (null removes), and says so to whoever listens. Returns the commit. */
  push(files: Readonly<Record<string, string | null>>, message: string): Promise<string>
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>
  run(commit: string, done: (run: ShowAnswer) => boolean): Promise<ShowAnswer>
  /** The applies of an object, dry runs left out. */
  applies(name: string): number
  /** A request to the cluster, as its administrator. */
  kubernetes(method: string, path: string, body?: string): Promise<JsonObject>
  /** Every chain verifies, and every run that has ended has exactly one record. */
  verify(): Promise<void>
  stop(): Promise<void>
}

export async function openCrashShop(options: { readonly databaseUrl?: string; readonly leaseMs?: number } = {}): Promise<CrashShop> {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-crash-'))
  const fixture = new Fixture()
  const cluster = await startApiServer({ dir: join(dir, 'cluster'), port: 0, clock: systemClock, name: 'dev' })
  const kubeconfig = writeKubeconfig(dir, cluster)
  const repository = fixture.repository('shop')
  const files = new Map(Object.entries(smallWorkspace()))
  repository.commit(Object.fromEntries(files), { message: 'The first' })
  const workspace = { url: repository.path, branch: 'main' }
  const children: Child[] = []
  let last = ''
  const client = (): Client =>
    connect({ dir: last }, { print: () => {}, note: () => {}, colours: false, width: 120, cwd: '/', env: {}, readFile: (path) => readFileSync(path, 'utf8'), now: () => Date.now() }).client
  const until: CrashShop['until'] = async (what, ask) => {
    let found: Awaited<ReturnType<typeof ask>>
    try {
      // Each answer costs a process that shall do something else meanwhile.
      await eventually(async () => (found = await ask().catch(() => undefined)) !== undefined || (await after(50)), 25_000)
    } catch {
      const runs = await client().runs({ environment: 'dev' }).catch(String)
      throw new Error(`not in time: ${what}\n${JSON.stringify(runs, null, 1)}\n${children.map((child) => child.lines.join('\n')).join('\n---\n')}`)
    }
    return found as NonNullable<typeof found>
  }
  return {
    cluster,
    client,
    until,
    start: async (name = 'plane') => {
      const home = join(dir, name)
      mkdirSync(home, { recursive: true })
      if (last !== '' && !existsSync(join(home, 'keys'))) for (const shared of ['keys', 'token']) cpSync(join(last, shared), join(home, shared), { recursive: true })
      if (options.databaseUrl === undefined && !existsSync(join(home, 'store'))) layEmptyStore(join(home, 'store'))
      const child = startChild('control-plane-child.ts', [JSON.stringify({ dir: home, ...options, workspace, kubeconfig })])
      children.push(child)
      await child.says('ready')
      last = home
      return child
    },
    push: async (changed, message) => {
      for (const [file, content] of Object.entries(changed)) {
        if (content === null) files.delete(file)
        else files.set(file, content)
      }
      const commit = repository.commit(Object.fromEntries(files), { message })
      await tell(last)
      return commit
    },
    run: (commit, done) =>
      until(`a run for ${commit.slice(0, 8)}`, async () => (await client().runs({ environment: 'dev' })).runs.find((run) => run.changes.some((change) => change.sha === commit) && done(run))),
    applies: (name) => cluster.requests().filter((one) => one.method === 'PATCH' && one.path.includes(`/${name}?`) && !one.path.includes('dryRun')).length,
    kubernetes: (method, path, body) => askAsAdministrator(cluster, method, path, body),
    verify: async () => {
      // What was decided last may still end: then it is asked of both again.
      await until('no run is under way', async () => ((await client().runs({ limit: 200 })).runs.every((run) => run.endedAt !== null || run.state === 'waiting') ? true : undefined))
      const { publicKey, chains } = await client().exportRecords()
      for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
      const { runs } = await client().runs({ limit: 200 })
      const recorded = chains.flatMap((chain) => chain.records.map((text) => (JSON.parse(text) as { predicate: { run?: string; finding?: string } }).predicate)).flatMap(({ run, finding }) => (run === undefined || finding !== undefined ? [] : [run])).sort()
      expect(recorded).toEqual(runs.filter((run) => run.endedAt !== null).map((run) => run.id).sort())
    },
    stop: async () => {
      for (const child of children) await child.kill()
      await cluster.stop()
      fixture[Symbol.dispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** As a forge's webhook does. Nobody may be there to hear it: whoever starts looks by itself. */
async function tell(home: string): Promise<void> {
  const { url } = JSON.parse(readFileSync(join(home, 'server.json'), 'utf8')) as { url: string }
  const body = JSON.stringify({ repository: 'shop', ref: 'refs/heads/main', before: '0'.repeat(40), after: '1'.repeat(40) })
  const signature = `sha256=${createHmac('sha256', (await openKeys(join(home, 'keys'))).webhook).update(body).digest('hex')}`
  await fetch(`${url}/v1/webhooks`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-plumbline-signature-256': signature }, body }).catch(() => {})
}
