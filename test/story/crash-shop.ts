import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { Client, ShowAnswer } from '#api/client.ts'
import { connect } from '#cli/connect.ts'
import { systemClock } from '#lib/clock.ts'
import { startPlayground } from '#playground/playground.ts'
import type { Playground } from '#playground/playground.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { openKeys } from '../../src/keys.ts'
import { startChild } from '../child.ts'
import type { Child } from '../child.ts'
import { eventually } from '../eventually.ts'
import { git } from './shop.ts'

/** The clusters and repositories in this process; control planes in processes of their own, which may be killed. */
export type CrashShop = {
  readonly playground: Playground
  /** Starts a control plane in a folder of that name, or starts it again; the first one's keys are everybody's. */
  start(name?: string): Promise<Child>
  /** Of the control plane that was started last. */
  client(): Client
  push(files: Readonly<Record<string, string | null>>, message: string): Promise<string>
  /** Tells, again, that there is something to fetch: a push while nobody listened is not told of. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>
  run(commit: string, done: (run: ShowAnswer) => boolean): Promise<ShowAnswer>
  /** The applies of an object in the sandbox, dry runs left out. */
  applies(name: string): number
  /** Every chain verifies, and every run that has ended has exactly one record. */
  verify(): Promise<void>
  stop(): Promise<void>
}

export async function openCrashShop(options: { readonly databaseUrl?: string; readonly leaseMs?: number } = {}): Promise<CrashShop> {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-crash-'))
  const playground = await startPlayground({ dir, clock: systemClock, log: () => {}, environments: ['sandbox'] })
  const workspace = { url: playground.repositories['platform'] ?? '', branch: 'main' }
  const children: Child[] = []
  let last = ''
  const client = (): Client =>
    connect({ dir: last }, { print: () => {}, note: () => {}, colours: false, width: 120, cwd: '/', env: {}, readFile: (path) => readFileSync(path, 'utf8'), now: () => Date.now() }).client
  const until: CrashShop['until'] = async (what, ask) => {
    let found: Awaited<ReturnType<typeof ask>>
    try {
      await eventually(async () => (found = await ask().catch(() => undefined)) !== undefined, 25_000)
    } catch {
      const runs = await client().runs({ environment: 'sandbox' }).catch(String)
      throw new Error(`not in time: ${what}\n${JSON.stringify(runs, null, 1)}\n${children.map((child) => child.lines.join('\n')).join('\n---\n')}`)
    }
    return found as NonNullable<typeof found>
  }
  return {
    playground,
    client,
    until,
    start: async (name = 'plane') => {
      const home = join(dir, name)
      mkdirSync(home, { recursive: true })
      if (last !== '' && !existsSync(join(home, 'keys'))) for (const shared of ['keys', 'token']) cpSync(join(last, shared), join(home, shared), { recursive: true })
      const child = startChild('control-plane-child.ts', [JSON.stringify({ dir: home, ...options, workspace, kubeconfig: playground.kubeconfig })])
      children.push(child)
      await child.says('ready')
      last = home
      const { url } = JSON.parse(readFileSync(join(home, 'server.json'), 'utf8')) as { url: string }
      writeFileSync(playground.notify, JSON.stringify({ url: `${url}/v1/webhooks`, secret: (await openKeys(join(home, 'keys'))).webhook }), { mode: 0o600 })
      return child
    },
    push: async (files, message) => {
      const clone = join(dir, 'clone')
      if (!existsSync(clone)) await git(dir, 'clone', '-q', workspace.url, 'clone')
      for (const [file, content] of Object.entries(files)) {
        mkdirSync(dirname(join(clone, file)), { recursive: true })
        if (content === null) rmSync(join(clone, file))
        else writeFileSync(join(clone, file), content)
      }
      await git(clone, 'add', '-A')
      await git(clone, '-c', 'user.name=Kim', '-c', 'user.email=kim@shop.example', 'commit', '-q', '-m', message)
      await git(clone, 'push', '-q', 'origin', 'HEAD:main')
      return (await git(clone, 'rev-parse', 'HEAD')).trim()
    },
    run: (commit, done) =>
      until(`a run for ${commit.slice(0, 8)}`, async () => (await client().runs({ environment: 'sandbox' })).runs.find((run) => run.changes.some((change) => change.sha === commit) && done(run))),
    applies: (name) =>
      (playground.clusters['sandbox']?.api.requests() ?? []).filter((one) => one.method === 'PATCH' && one.path.includes(`/${name}?`) && !one.path.includes('dryRun')).length,
    verify: async () => {
      const { publicKey, chains } = await client().exportRecords()
      for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
      const { runs } = await client().runs({ limit: 200 })
      const recorded = chains.flatMap((chain) => chain.records.map((text) => (JSON.parse(text) as { predicate: { run: string } }).predicate.run)).sort()
      expect(recorded).toEqual(runs.filter((run) => run.endedAt !== null).map((run) => run.id).sort())
    },
    stop: async () => {
      for (const child of children) await child.kill()
      await playground.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
