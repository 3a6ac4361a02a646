import { createHmac } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startApi } from '#api/server.ts'
import { withMysql } from '#clients/mysql/session.ts'
import { withPostgres } from '#clients/postgres/session.ts'
import { ensurePullRequest } from '#clients/forge/pull-request.ts'
import { httpRequest } from '#clients/http/request.ts'
import { resolveHost } from '#clients/dns/resolve-host.ts'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import { OtlpExporter } from '#clients/otlp/exporter.ts'
import type { OtlpEndpoint } from '#clients/otlp/exporter.ts'
import { drivers } from '#drivers/registry.ts'
import { openCel } from '#lib/cel.ts'
import type { Clock } from '#lib/clock.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'
import type { TargetConfig } from '#model/config/environment.ts'
import { redactedFailure } from '#model/redacted.ts'
import { probeSchemas, probes } from '#probes/registry.ts'
import { rememberingCache } from '#render/cache.ts'
import { renderTools } from '#render/tools.ts'
import { resume } from '#run/follow.ts'
import { Configurations } from '#run/configuration.ts'
import { startWatching } from '#run/drift/watch-loop.ts'
import { probeTimes, timed } from '#run/metrics/timed-probes.ts'
import { startLoop } from '#run/loop.ts'
import type { Parts } from '#run/parts.ts'
import { Repositories } from '#run/repositories.ts'
import { expectSigner } from '#run/rotate-key.ts'
import { Tracer } from '#run/telemetry/tracer.ts'
import { remembering, resolveSecret } from '#secrets/resolve.ts'
import { secretProviders } from '#secrets/registry.ts'
import { bundleCache } from '#store/bundles.ts'
import { openStore } from '#store/open.ts'
import { signing } from '#store/records.ts'
import { redactingStore } from '#store/redacting.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { ensureAdmin } from './bootstrap.ts'
import { openKeys } from './keys.ts'
import { expectSameKeys } from './same-keys.ts'

export type ControlPlaneOptions = {
  /** Everything of this installation that is on disk: keys, mirrors, the token, and the store where it is embedded. */
  readonly dir: string
  /** A PostgreSQL server in place of the embedded store. */
  readonly databaseUrl?: string
  readonly workspace: { readonly url: string; readonly branch: string }
  /** One file, or several, of which the first that has a name wins. */
  readonly kubeconfig: string | readonly string[]
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Where spans of runs are sent to; nowhere, if left out. */
  readonly traces?: OtlpEndpoint
  /** How long a process may be silent before others take its work over; 30 s, if left out. */
  readonly leaseMs?: number
  /** The process's environment: for secret references, and (PATH and proxies) for git and renderers. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (line: string) => void
}

export type ControlPlane = {
  readonly url: string
  /** An admin's. */
  readonly token: string
  readonly webhookSecret: string
  readonly parts: Parts
  stop(): Promise<void>
}

/** Puts the control plane together and starts it. What it opened is closed again when a later part fails. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dir, clock, env } = options
  // Whatever leaves this process, leaves it without the secrets that the process has seen: its log, its store, its records, its answers, its last words.
  const redactor = new Redactor()
  const redact = (text: string): string => redactor.redact(text)
  const log = (line: string): void => options.log(redact(line))
  if (options.databaseUrl !== undefined) redactor.add(options.databaseUrl, 'DATABASE_URL')
  const opened: (() => unknown)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of opened.toReversed()) await close()
  }
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    // Keys and tokens lie here: never in anybody's commit.
    await writeFile(join(dir, '.gitignore'), '*\n')
    const store = redactingStore(await openStore(options.databaseUrl === undefined ? { dir: join(dir, 'store') } : { url: options.databaseUrl }, clock), redact)
    opened.push(() => store.close())
    const keys = await openKeys(join(dir, 'keys'), env['PATH'])
    await keys.record.settle(await signing(store))
    await expectSigner({ sql: store, signer: keys.record.signer })
    redactor.add(keys.webhook, 'keys/webhook.key')
    await expectSameKeys(store, keys, join(dir, 'keys'), clock.now())
    const secretDigest = (value: string): string => `hmac:${createHmac('sha256', keys.digest).update(value).digest('hex').slice(0, 32)}`
    const providers = secretProviders({ variables: env, folders: env['PLUMB_SECRET_FOLDERS']?.split(':') ?? [], versionOf: secretDigest })
    const resolve = remembering(resolveSecret(providers), redactor)
    const inherited = pick(env, ['PATH', 'https_proxy', 'http_proxy', 'no_proxy', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'SSL_CERT_FILE'])
    const home = join(dir, 'home')
    await mkdir(home, { recursive: true, mode: 0o700 })
    const repositories = new Repositories({ dir: join(dir, 'mirrors'), workspace: options.workspace, git: { home, env: inherited }, clock, resolveSecret: resolve })
    opened.push(() => repositories.close())
    const cel = openCel({ timeoutMs: 1000 })
    opened.push(() => cel.close())
    const kubernetes = kubernetesClients(options.kubeconfig, clock, redactor)
    opened.push(() => kubernetes.close())
    const times = probeTimes()
    const exporter = options.traces === undefined ? undefined : new OtlpExporter({ endpoint: options.traces, clock, log })
    for (const value of Object.values(options.traces?.headers ?? {})) redactor.add(value, 'OTEL_EXPORTER_OTLP_HEADERS')
    opened.push(() => exporter?.stop())
    const parts: Parts = {
      sql: store,
      clock,
      repositories,
      configurations: new Configurations(repositories, probeSchemas),
      renderCache: rememberingCache(bundleCache(store, clock), 64 * 1024 * 1024),
      tools: renderTools({ path: inherited['PATH'] ?? '', tempDir: home }),
      drivers,
      probes: timed(probes, times),
      probeTimes: times,
      kubernetes: kubernetes.open,
      pullRequest: ensurePullRequest,
      http: httpRequest,
      withSql: (dialling, signal, use) => (/^(mysql|mariadb):/.test(dialling.url) ? withMysql : withPostgres)(dialling, signal, use),
      cel: (expression, variables) => cel.evaluate(expression, variables),
      resolve: resolveHost,
      resolveSecret: resolve,
      redactor,
      secretDigest,
      webhookSecret: keys.webhook,
      get signer() {
        return keys.record.signer
      },
      nextKey: keys.record,
      publish: (environment, head) => publishHead({ repositories, clock }, environment, head),
      ...(exporter === undefined ? {} : { tracer: new Tracer({ clock, redact, send: (span) => exporter.add(span) }) }),
      log,
    }
    const token = await ensureAdmin(store, join(dir, 'token'), clock.now())
    // What was known before a restart is followed at once, also while no repository can be reached.
    const newest = await newestSnapshot(store)
    if (newest !== undefined) await resume(parts, newest)
    const loop = await startLoop(parts, store, 16, options.leaseMs)
    opened.push(() => loop.stop())
    const watching = await startWatching(parts, store, options.leaseMs)
    opened.push(() => watching.stop())
    const stopping = new AbortController()
    const api = await startApi({ parts, store, host: options.host, port: options.port, stopping: stopping.signal })
    opened.push(() => {
      stopping.abort()
      return api.stop()
    })
    opened.push(await announce(join(dir, 'server.json'), api.url))
    return { url: api.url, token, webhookSecret: keys.webhook, parts, stop: closeAll }
  } catch (error) {
    await closeAll()
    throw redactedFailure(asFailure(error, 'the control plane'), redact)
  }
}

/** Where the API is: whoever looks for it finds it whole. Returns what takes it away again. */
async function announce(file: string, url: string): Promise<() => Promise<void>> {
  await writeFile(`${file}.new`, `${JSON.stringify({ url, pid: process.pid })}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return () => rm(file, { force: true })
}

/** One client a context, opened when it is first needed; one that could not be opened is tried again the next time. */
function kubernetesClients(kubeconfig: ControlPlaneOptions['kubeconfig'], clock: Clock, redactor: Redactor): { open: Parts['kubernetes']; close: () => Promise<void> } {
  const clients = new Map<string, Promise<KubernetesClient>>()
  return {
    open: (target: TargetConfig) => {
      if (!('kubernetes' in target)) throw new Failure({ code: 'target-unknown', subject: 'target', message: 'it is no Kubernetes cluster', hint: 'Name a `kubernetes` target.' })
      const { context } = target.kubernetes
      const client = clients.get(context) ?? openKubernetes({ kubeconfig, context, clock, seen: (credential) => redactor.add(credential, `of context ${context}`) })
      clients.set(context, client)
      client.catch(() => clients.delete(context))
      return client
    },
    close: async () => {
      await Promise.allSettled([...clients.values()].map(async (client) => (await client).close()))
    },
  }
}

/** A checkpoint's head, where nobody who can write the store can cut it: on a ref of the workspace's repository. */
async function publishHead(parts: Pick<Parts, 'repositories' | 'clock'>, environment: string, head: { size: number; root: string; head: string }): Promise<void> {
  await parts.repositories.mirror(parts.repositories.workspaceName()).push(
    {
      ref: `refs/plumbline/checkpoints/${environment}`,
      name: 'head.json',
      content: `${JSON.stringify({ environment, ...head })}\n`,
      message: `Checkpoint of ${environment}: ${head.size} records`,
      at: parts.clock.now(),
      author: { name: 'Plumbline', email: 'plumbline@localhost' },
    },
    AbortSignal.timeout(30_000),
  )
}

function pick(env: Readonly<Record<string, string | undefined>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
