import { request } from 'node:https'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { Client, ShowAnswer, StatusAnswer } from '#api/client.ts'
import { connect } from '#cli/connect.ts'
import { runCommandLine } from '#cli/program.ts'
import type { AddCommands } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { systemClock } from '#lib/clock.ts'
import type { Clock } from '#lib/clock.ts'
import { isObject } from '#lib/json.ts'
import type { JsonObject } from '#lib/json.ts'
import { isEnded } from '#model/run.ts'
import { startApiServer, type ApiServer } from '#playground/api/api-server.ts'
import { Fixture } from '#source/fixture.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { enqueue } from '#store/queue.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import type { ControlPlane, ControlPlaneOptions } from '../../src/control-plane.ts'
import { offlineCommands } from '../../src/offline.ts'
import { layEmptyStore } from '../empty-store.ts'
import { eventually } from '../eventually.ts'
import type { Printed } from './troubled-shop.ts'

type Module = StatusAnswer['environments'][number]['modules'][number]
type Files = Readonly<Record<string, string | null>>

/** One repository, one environment (`dev`) on one cluster without controllers, and a control plane in this process: a story that needs no more starts in a second. */
export type SmallShop = {
  readonly dir: string
  readonly fixture: Fixture
  /** The workspace's own repository. */
  readonly repository: SourceRepository
  readonly cluster: ApiServer
  readonly plane: ControlPlane
  readonly client: Client
  readonly log: readonly string[]
  /** Commits to the workspace's repository, beside what is there (null removes), and says so to the control plane. Returns the commit. */
  push(files: Files, message?: string): Promise<string>
  /** As a webhook does: a repository is looked at now. */
  look(repository?: string): Promise<void>
  until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<NonNullable<T>>
  /** The run of a commit, once it has ended or waits. */
  settled(commit: string): Promise<ShowAnswer>
  module(name: string): Promise<Module | undefined>
  plumb(...argv: string[]): Promise<Printed>
  /** A request to the cluster, as its administrator: what somebody else does there. */
  kubernetes(method: string, path: string, body?: string): Promise<JsonObject>
  stop(): Promise<void>
}

export type SmallShopOptions = {
  readonly files: Files
  /** What is in the cluster, beside `default`. */
  readonly namespaces?: readonly string[]
  /** Makes the other repositories, and what is to be in the control plane's folder, before it starts. */
  readonly prepare?: (fixture: Fixture, dir: string) => void
  /** More of the workspace's and of the environment's `spec`, as lines of YAML. */
  readonly repositories?: string
  readonly environment?: string
  /** Where the control plane finds the cluster, in place of the cluster itself: what stands between the two. */
  readonly between?: (cluster: ApiServer) => Promise<{ readonly server: string; readonly stop: () => Promise<void> }>
  readonly databaseUrl?: string
  /** The control plane's. */
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string>>
  /** Where spans are sent to. */
  readonly traces?: ControlPlaneOptions['traces']
}

const document = (kind: string, name: string, spec: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${spec}`

/** The workspace's and the environment's documents. */
export function smallWorkspace({ repositories = '', environment = '  targets: { cluster: { kubernetes: { context: dev } } }\n' }: Pick<SmallShopOptions, 'repositories' | 'environment'> = {}): Record<string, string> {
  return {
    'plumbline.yaml': document('Workspace', 'shop', `  repositories:\n    shop: { url: ., allow: everything, poll: 1h }\n${repositories}`),
    'environments/dev.yaml': document('Environment', 'dev', `  tier: sandbox\n  deliver: { automatic: true }\n${environment}`),
  }
}

/** A module.yaml whose manifests lie beside it; `more` are lines of its spec. */
export function moduleFile(name: string, more = ''): string {
  return document('Module', name, `  target: cluster\n  source: { path: manifests }\n${more}`)
}

export function configMap(name: string, value = '1', namespace = 'default'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: { a: "${value}" }\n`
}

export async function openSmallShop(options: SmallShopOptions): Promise<SmallShop> {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-small-'))
  const undo: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const fixture = new Fixture()
    undo.push(() => fixture[Symbol.dispose]())
    const cluster = await startApiServer({ dir: join(dir, 'cluster'), port: 0, clock: systemClock, name: 'dev' })
    undo.push(() => cluster.stop())
    const between = await options.between?.(cluster)
    if (between !== undefined) undo.push(between.stop)
    const repository = fixture.repository('shop')
    const files = new Map(Object.entries(smallWorkspace(options)))
    const commit = (changed: Files, message: string): string => {
      for (const [file, content] of Object.entries(changed)) {
        if (content === null) files.delete(file)
        else files.set(file, content)
      }
      return repository.commit(Object.fromEntries(files), { message })
    }
    commit(options.files, 'The first')
    options.prepare?.(fixture, dir)
    for (const name of options.namespaces ?? []) await askAsAdministrator(cluster, 'POST', '/api/v1/namespaces', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    const log: string[] = []
    if (options.databaseUrl === undefined) layEmptyStore(join(dir, 'store'))
    const plane = await startControlPlane({
      dir,
      workspace: { url: repository.path, branch: 'main' },
      kubeconfig: writeKubeconfig(dir, cluster, between?.server),
      host: '127.0.0.1',
      port: 0,
      clock: options.clock ?? systemClock,
      env: { PATH: process.env['PATH'], ...options.env },
      log: (line) => log.push(line),
      ...(options.traces === undefined ? {} : { traces: options.traces }),
      ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
    })
    undo.push(() => plane.stop())
    return { dir, fixture, repository, cluster, plane, log, ...verbs(dir, plane, log, commit), kubernetes: (method, path, body) => askAsAdministrator(cluster, method, path, body), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function verbs(dir: string, plane: ControlPlane, log: readonly string[], commit: (files: Files, message: string) => string): Pick<SmallShop, 'client' | 'push' | 'look' | 'until' | 'settled' | 'module' | 'plumb'> {
  const { client } = connect({ dir }, around(dir, [], []))
  const look: SmallShop['look'] = (name = 'shop') => enqueue(plane.parts.sql, plane.parts.clock, `repository/${name}`)
  const until: SmallShop['until'] = async (what, ask) => {
    try {
      // An answer costs this process a request to itself: not as fast as it can.
      return await eventually(async () => (await ask()) || (await after(25)), 20_000)
    } catch (error) {
      throw new Error(`not in time: ${what}\n${JSON.stringify(await client.status().catch(String), null, 1)}\n${log.join('\n')}`, { cause: error })
    }
  }
  return {
    client,
    look,
    until,
    push: async (files, message = 'A change') => {
      const sha = commit(files, message)
      await look()
      return sha
    },
    settled: (sha) =>
      until(`a run for ${sha.slice(0, 8)} has ended or waits`, async () =>
        (await client.runs({ environment: 'dev' })).runs.find((run) => run.changes.some((change) => change.sha === sha) && (isEnded(run.state) || run.state === 'waiting'))),
    module: async (name) => (await client.status()).environments[0]?.modules.find((one) => one.name === name),
    plumb: (...argv) => plumbIn(dir, [offlineCommands({})], ...argv),
  }
}

/** `plumb …`, as a person at a terminal has it, in the folder of a control plane. */
export async function plumbIn(dir: string, local: readonly AddCommands[], ...argv: string[]): Promise<Printed> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommandLine(argv, around(dir, out, err), local)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

function around(dir: string, out: string[], err: string[]): Surroundings {
  return {
    print: (line) => void out.push(line),
    note: (line) => void err.push(line),
    colours: false,
    width: 400,
    cwd: dir,
    env: { dir },
    readFile: (path) => readFileSync(path, 'utf8'),
    now: () => Date.now(),
  }
}

export function writeKubeconfig(dir: string, { url, ca, adminToken }: ApiServer, server?: string): string {
  const path = join(dir, 'kubeconfig')
  const cluster = server === undefined ? { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } : { server }
  const document = {
    apiVersion: 'v1', kind: 'Config',
    clusters: [{ name: 'dev', cluster }],
    users: [{ name: 'dev', user: { token: adminToken } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'dev' } }],
  }
  writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
  return path
}

export function askAsAdministrator({ url, ca, adminToken }: ApiServer, method: string, path: string, body?: string): Promise<JsonObject> {
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), { method, ca, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => {
        const said: unknown = JSON.parse(text)
        if (isObject(said) && (answer.statusCode ?? 500) < 300) resolve(said)
        else reject(new Error(`${method} ${path}: ${text}`))
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
