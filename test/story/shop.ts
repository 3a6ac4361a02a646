import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { Client, ShowAnswer, StatusAnswer } from '#api/client.ts'
import { connect } from '#cli/connect.ts'
import type { Connection } from '#cli/connect.ts'
import { changes } from '#cli/follow.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { systemClock } from '#lib/clock.ts'
import { isEnded } from '#model/run.ts'
import { startPlayground } from '#playground/playground.ts'
import type { Playground } from '#playground/playground.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import type { ControlPlane } from '../../src/control-plane.ts'
import { layEmptyStore } from '../empty-store.ts'
import { execute } from '../execute.ts'

type Module = StatusAnswer['environments'][number]['modules'][number]

/** The example organisation, delivered by a control plane in this process: what a story is told on. */
export type Shop = {
  readonly dir: string
  readonly playground: Playground
  readonly plane: ControlPlane
  readonly connection: Connection
  readonly client: Client
  readonly log: readonly string[]
  /** Commits and pushes to a repository as a developer would, with git. A value of null removes the file; a function edits it. Returns the commit. */
  push(repository: string, files: Readonly<Record<string, string | null | ((before: string) => string)>>, message: string, author?: string): Promise<string>
  /** The path of the repository's working copy. */
  clone(repository: string): Promise<string>
  /** Waits until the question has an answer: it is asked with each of the server's events, and each second. */
  until<T>(what: string, ask: () => Promise<T | undefined>, ms?: number): Promise<T>
  /** The newest run of an environment that was made for this commit, once it has ended or waits. */
  settled(environment: string, commit: string): Promise<ShowAnswer>
  module(environment: string, module: string): Promise<Module | undefined>
  /** Every module of these environments is synced and verified. */
  delivered(...environments: string[]): Promise<void>
  kubectl(environment: string, ...args: string[]): Promise<string>
  /** The same, with these variables in its environment. */
  kubectlWith(env: Readonly<Record<string, string>>, environment: string, ...args: string[]): Promise<string>
  /** The control plane as somebody else sees it, who has this role. */
  person(name: string, role: 'viewer' | 'developer' | 'approver' | 'operator' | 'admin', emails?: string[], environments?: string[]): Promise<Client>
  /** The run, once it has ended. */
  ended(run: string): Promise<ShowAnswer>
  stop(): Promise<void>
}

export type ShopOptions = {
  readonly dir?: string
  readonly databaseUrl?: string
  /** The first environments of the example alone: a story that needs no more costs a third. */
  readonly environments?: readonly ['sandbox'] | readonly ['sandbox', 'staging']
}

const quiet: Surroundings = {
  print: () => {},
  note: () => {},
  colours: false,
  width: 120,
  cwd: '/',
  env: {},
  readFile: (path) => readFileSync(path, 'utf8'),
  now: () => Date.now(),
}

export async function openShop(options: ShopOptions = {}): Promise<Shop> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'plumbline-story-'))
  const log: string[] = []
  const playground = await startPlayground({ dir, clock: systemClock, log: (line) => log.push(line), ...(options.environments === undefined ? {} : { environments: options.environments }) })
  let plane: ControlPlane
  try {
    if (options.databaseUrl === undefined && !existsSync(join(dir, 'store'))) layEmptyStore(join(dir, 'store'))
    plane = await startControlPlane({
      dir,
      ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
      workspace: { url: playground.repositories['platform'] ?? '', branch: 'main' },
      kubeconfig: playground.kubeconfig,
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      env: { PATH: process.env['PATH'], PLUMB_SECRET_FOLDERS: playground.credentials },
      log: (line) => log.push(line),
    })
  } catch (error) {
    await playground.stop()
    throw error
  }
  writeFileSync(playground.notify, JSON.stringify({ url: `${plane.url}/v1/webhooks`, secret: plane.webhookSecret }), { mode: 0o600 })
  const connection = connect({ dir }, quiet)
  const { client } = connection
  const clones = join(dir, 'clones')
  mkdirSync(clones, { recursive: true })

  const clone = async (repository: string): Promise<string> => {
    const path = join(clones, repository)
    if (existsSync(path)) {
      await git(path, 'fetch', '-q', 'origin')
      await git(path, 'reset', '-q', '--hard', 'origin/main')
    } else await git(clones, 'clone', '-q', playground.repositories[repository] ?? '', repository)
    return path
  }

  const until: Shop['until'] = async (what, ask, ms = 20_000) => {
    let last: unknown
    for await (const _ of looks(connection, ms)) {
      const found = await ask().catch((error: unknown) => void (last = error))
      if (found !== undefined) return found
    }
    const status = await client.status().catch((error: unknown) => String(error))
    throw new Error(`not within ${ms} ms: ${what}\n${JSON.stringify(status, null, 1)}\n${log.join('\n')}`, { cause: last })
  }

  const module: Shop['module'] = async (environment, name) =>
    (await client.status()).environments.find((one) => one.name === environment)?.modules.find((one) => one.name === name)

  // Never a synchronous call: the clusters and the control plane answer in this very process.
  const kubectlWith: Shop['kubectlWith'] = async (env, environment, ...args) =>
    (await execute('kubectl', ['--kubeconfig', playground.kubeconfig, '--context', environment, ...args], { env: { HOME: dir, ...env } })).stdout

  return {
    dir,
    playground,
    plane,
    connection,
    client,
    log,
    clone,
    until,
    module,
    push: async (repository, files, message, author = 'Ada Park <ada@orders.example>') => {
      const path = await clone(repository)
      for (const [file, content] of Object.entries(files)) {
        const target = join(path, file)
        if (content === null) rmSync(target)
        else {
          mkdirSync(dirname(target), { recursive: true })
          writeFileSync(target, typeof content === 'string' ? content : content(readFileSync(target, 'utf8')))
        }
      }
      const [, name = '', email = ''] = /^(.*) <(.*)>$/.exec(author) ?? []
      await git(path, 'add', '-A')
      await git(path, '-c', `user.name=${name}`, '-c', `user.email=${email}`, 'commit', '-q', '-m', message)
      await git(path, 'push', '-q', 'origin', 'HEAD:main')
      return (await git(path, 'rev-parse', 'HEAD')).trim()
    },
    settled: (environment, commit) =>
      until(`a run for ${commit.slice(0, 8)} in ${environment} has ended or waits`, async () => {
        const { runs } = await client.runs({ environment })
        return runs.find((run) => run.changes.some((change) => change.sha === commit) && (isEnded(run.state) || run.state === 'waiting'))
      }),
    delivered: async (...environments) => {
      await until(`${environments.join(', ')} delivered and verified`, async () => {
        const status = await client.status()
        const found = status.environments.filter((one) => environments.includes(one.name))
        const good = (one: Module): boolean => one.delivery === 'synced' && (one.verification === 'passed' || one.verification === 'warned')
        return found.length === environments.length && found.every((one) => one.modules.length > 0 && one.modules.every(good)) ? true : undefined
      }, 60_000)
    },
    kubectl: (environment, ...args) => kubectlWith({}, environment, ...args),
    kubectlWith,
    person: async (name, role, emails = [], environments = ['*']) => {
      const { token } = await client.createToken({ name, role, emails, environments })
      return connect({ dir }, { ...quiet, env: { token } }).client
    },
    ended: (run) =>
      until(`run ${run} has ended`, async () => {
        const found = await client.show(run)
        return isEnded(found.state) ? found : undefined
      }),
    stop: async () => {
      await plane.stop()
      await playground.stop()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/**
 * One value now, one with what has changed, and one each second: not everything that can be asked for is told as a change. For `ms` at most, and ten a second:
 * the control plane that is asked is at work in this very process.
 */
async function* looks(connection: Connection, ms: number): AsyncGenerator<undefined> {
  const over = new AbortController()
  const told = changes(connection, AbortSignal.any([over.signal, AbortSignal.timeout(ms)]))
  try {
    for (let next = told.next(); ; ) {
      const one = await Promise.race([next, after(1000, undefined, { signal: over.signal })])
      if (one?.done === true) return
      if (one !== undefined) next = told.next()
      yield undefined
      await after(100)
    }
  } finally {
    over.abort()
  }
}

export async function git(cwd: string, ...args: string[]): Promise<string> {
  const env = { HOME: cwd, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
  return (await execute('git', args, { cwd, env })).stdout
}
