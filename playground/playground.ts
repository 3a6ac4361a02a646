import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import { type Cluster, type ClusterPlaces, startCluster } from './cluster.ts'
import { controlOf } from './control/control.ts'
import { startControlSocket } from './control/control-socket.ts'
import { openProductionDatabase, type ProductionDatabase } from './databases/production-database.ts'
import { preparePostgres } from './databases/runtime.ts'
import { people } from './example/people.ts'
import { ensureRepositories, resetRepositories } from './example/repositories.ts'
import { lockPlayground } from './folder-lock.ts'
import { kubeconfigOf } from './kubeconfig.ts'

export type PlaygroundOptions = {
  /** Everything is kept here: clusters, repositories, kubeconfig, ports. */
  readonly dir: string
  readonly clock: Clock
  /** One line for whoever runs it. */
  readonly log: (line: string) => void
  /**
   * One cluster each: all of the example organisation's, if left out. The first of these alone are an organisation that has no later ones; other names are
   * clusters alone.
   */
  readonly environments?: readonly string[]
  /** Where `git` is looked for, as in PATH. */
  readonly searchPath?: string
}

export type Playground = {
  /** The path of a kubeconfig (mode 0600) with one context for each environment, named like it. */
  readonly kubeconfig: string
  readonly clusters: Readonly<Record<string, Cluster>>
  /** The bare repositories' paths, by name; the workspace is `platform`. */
  readonly repositories: Readonly<Record<string, string>>
  /** Where whoever starts the control plane writes `{ url, secret }` (mode 0600), for the repositories' post-receive hooks. */
  readonly notify: string
  /** Production's database, where PostgreSQL can be run and the example is there. */
  readonly database: ProductionDatabase | undefined
  /** The folder of secrets that the example's environments name: what the control plane must be allowed to read. */
  readonly credentials: string
  /** Makes the example repositories and the databases as they were at first. `tell` hears what is under way. */
  reset(tell: (doing: string) => void): Promise<void>
  /** Ends every process and connection; everything is there again at the next start. */
  stop(): Promise<void>
}

const usualPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'
/** What would be wrong without a database. */
const filesOfDatabase = ['orders/database/module.yaml', 'orders/database/production/', 'platform/operations/promote-replica.yaml']
const exampleEnvironments = ['sandbox', 'staging', 'production'] as const

/**
 * Clusters, an example organisation's repositories, and a kubeconfig, in one folder.
 * Failures: `playground-locked`, `playground-addresses`, `playground-ingress-port`, `playground-repository`, and those of `git`.
 */
export async function startPlayground({ dir, clock, log, environments = exampleEnvironments, searchPath = usualPath }: PlaygroundOptions): Promise<Playground> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const unlock = lockPlayground(dir)
  const started: Cluster[] = []
  let database: ProductionDatabase | undefined
  let control: { stop(): Promise<void> } | undefined
  const stop = async (): Promise<void> => {
    await control?.stop()
    await Promise.all([...started.splice(0).map((cluster) => cluster.stop()), database?.stop()])
    unlock()
  }
  try {
    const places = readPlaces(dir)
    const postgres = await preparePostgres(dir, searchPath, log)
    const starts = await Promise.allSettled(
      environments.map((name) =>
        startCluster({ name, dir: join(dir, 'clusters', name), compileCache: join(dir, 'compiled'), postgres, clock, log, places: places[name] ?? { apiPort: 0, ingressPort: 0 } }),
      ),
    )
    for (const start of starts) if (start.status === 'fulfilled') started.push(start.value)
    const failed = starts.find((start) => start.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    writePrivately(join(dir, 'playground.json'), { environments: { ...places, ...Object.fromEntries(started.map(({ name, places: taken }) => [name, taken])) } })
    const kubeconfig = join(dir, 'kubeconfig')
    writePrivately(kubeconfig, kubeconfigOf(started, people))
    const clusters = Object.fromEntries(started.map((cluster) => [cluster.name, cluster]))
    // A playground of other environments has clusters alone: the example's files name the example's environments, and each comes after the one before it.
    const hasExample = environments.length > 0 && environments.every((name, index) => name === exampleEnvironments[index])
    const later = exampleEnvironments.slice(environments.length).flatMap((name) => [`platform/environments/${name}.yaml`, `platform/baseline/${name}/`, `orders/deploy/${name}/`, `storefront/deploy/${name}/`])
    const credentials = join(dir, 'credentials')
    const block = clusters['production']?.places.block
    if (hasExample && postgres !== undefined && block !== undefined) database = await openProductionDatabase(postgres, block, credentials, clock, log)
    const example = { dir, searchPath, values: valuesOf(started, credentials, database), without: [...later, ...(database === undefined ? filesOfDatabase : [])] }
    const repositories = hasExample ? await ensureRepositories(example) : {}
    const reset = async (tell: (doing: string) => void): Promise<void> => {
      if (!hasExample) return
      tell(database === undefined ? 'making the repositories anew' : 'making the repositories and production’s databases anew')
      await database?.started
      await Promise.all([resetRepositories(example), database?.orders.reset()])
    }
    control = await startControlSocket(dir, controlOf({ clusters, database, reset }), log)
    return { kubeconfig, clusters, repositories, notify: join(dir, 'notify.json'), database, credentials, reset, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What the example's files say of this playground: addresses, audit logs, and the folder of credentials. */
function valuesOf(clusters: readonly Cluster[], credentials: string, database: ProductionDatabase | undefined): Record<string, string> {
  const { host, port } = database?.orders.servers.primary.at ?? { host: '127.0.0.1', port: 5432 }
  const entrances = clusters.flatMap(({ name, ingressUrl, names, auditLog }) => [[`ingress.${name}`, ingressUrl], [`dns.${name}`, names.address], [`audit.${name}`, resolve(auditLog)]])
  return { ...Object.fromEntries(entrances), credentials, 'database.host': host, 'database.port': String(port) }
}

/** The ports that were chosen at the first start: the environments' addresses in Git name them. Failure: `playground-state`. */
function readPlaces(dir: string): Record<string, ClusterPlaces> {
  const path = join(dir, 'playground.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  try {
    const { environments } = JSON.parse(text) as { environments?: unknown }
    if (!isObject(environments) || !Object.values(environments).every(isPlaces)) throw new TypeError('it lacks the environments’ ports')
    return environments as Record<string, ClusterPlaces>
  } catch (cause) {
    const hint = 'Delete the folder to start a new playground, or restore the file.'
    throw new Failure({ code: 'playground-state', subject: path, message: `The playground’s own file cannot be read: ${(cause as Error).message}`, hint, cause })
  }
}

function isPlaces(value: unknown): boolean {
  return isObject(value) && Number.isInteger(value['apiPort']) && Number.isInteger(value['ingressPort']) && typeof value['block'] === 'string'
}

function writePrivately(path: string, content: object | string): void {
  const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
