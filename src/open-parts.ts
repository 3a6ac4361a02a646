import { createHmac } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { withMysql } from '#clients/mysql/session.ts'
import { withPostgres } from '#clients/postgres/session.ts'
import { ensurePullRequest } from '#clients/forge/pull-request.ts'
import { httpRequest } from '#clients/http/request.ts'
import { resolveHost } from '#clients/dns/resolve-host.ts'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import { OtlpExporter } from '#clients/otlp/exporter.ts'
import { drivers } from '#drivers/registry.ts'
import { openCel } from '#lib/cel.ts'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { Redactor } from '#lib/redact.ts'
import type { TargetConfig } from '#model/config/environment.ts'
import { probeSchemas, probes } from '#probes/registry.ts'
import { rememberingCache } from '#render/cache.ts'
import { renderTools } from '#render/tools.ts'
import { Configurations } from '#run/configuration.ts'
import { probeTimes, timed } from '#run/metrics/timed-probes.ts'
import type { Parts } from '#run/parts.ts'
import { Repositories } from '#run/repositories.ts'
import { Turns } from '#run/turns.ts'
import { expectSigner } from '#run/rotate-key.ts'
import { Tracer } from '#run/telemetry/tracer.ts'
import { remembering, resolveSecret } from '#secrets/resolve.ts'
import { secretProviders } from '#secrets/registry.ts'
import { bundleCache } from '#store/bundles.ts'
import { openStore } from '#store/open.ts'
import { signing } from '#store/records.ts'
import { redactingStore } from '#store/redacting.ts'
import type { Store } from '#store/sql.ts'
import type { ControlPlaneOptions } from './control-plane.ts'
import { openKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import { expectSameKeys } from './same-keys.ts'

/** Opens all that the path needs of the world. `closing` is told what closes each part again, in the order in which they were opened. */
export async function openParts(options: ControlPlaneOptions, redactor: Redactor, closing: (close: () => unknown) => void): Promise<{ readonly parts: Parts; readonly store: Store }> {
  const { dir, clock, env } = options
  const redact = (text: string): string => redactor.redact(text)
  const log = (line: string): void => options.log(redact(line))
  const store = await openOwnStore(options, redactor)
  closing(() => store.close())
  const keys = await openOwnKeys(store, options, redactor)
  const secretDigest = (value: string): string => `hmac:${createHmac('sha256', keys.digest).update(value).digest('hex').slice(0, 32)}`
  const providers = secretProviders({ variables: env, folders: env['PLUMB_SECRET_FOLDERS']?.split(':') ?? [], versionOf: secretDigest })
  const resolve = remembering(resolveSecret(providers), redactor)
  const inherited = pick(env, ['PATH', 'https_proxy', 'http_proxy', 'no_proxy', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'SSL_CERT_FILE'])
  const home = join(dir, 'home')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const repositories = new Repositories({ dir: join(dir, 'mirrors'), workspace: options.workspace, git: { home, env: inherited }, clock, resolveSecret: resolve })
  closing(() => repositories.close())
  const cel = openCel({ timeoutMs: 1000 })
  closing(() => cel.close())
  const kubernetes = kubernetesClients(options.kubeconfig, clock, redactor)
  closing(() => kubernetes.close())
  const times = probeTimes()
  const tracer = openTracer(options, redactor, closing)
  const parts: Parts = {
    sql: store,
    clock,
    repositories,
    configurations: new Configurations(repositories, probeSchemas),
    renderCache: rememberingCache(bundleCache(store, clock), 64 * 1024 * 1024),
    tools: renderTools({ path: inherited['PATH'] ?? '', tempDir: home }),
    drivers,
    probes: timed(probes, times),
    turns: new Turns(),
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
    ...(tracer === undefined ? {} : { tracer }),
    log,
  }
  return { parts, store }
}

async function openOwnStore({ dir, databaseUrl, clock }: ControlPlaneOptions, redactor: Redactor): Promise<Store> {
  if (databaseUrl !== undefined) redactor.add(databaseUrl, 'DATABASE_URL')
  return redactingStore(await openStore(databaseUrl === undefined ? { dir: join(dir, 'store') } : { url: databaseUrl }, clock), (text) => redactor.redact(text))
}

/** The keys of this folder, which are those that the store was written with. */
async function openOwnKeys(store: Store, { dir, clock, env }: ControlPlaneOptions, redactor: Redactor): Promise<Keys> {
  const keys = await openKeys(join(dir, 'keys'), env['PATH'])
  await keys.record.settle(await signing(store))
  await expectSigner({ sql: store, signer: keys.record.signer })
  redactor.add(keys.webhook, 'keys/webhook.key')
  await expectSameKeys(store, keys, join(dir, 'keys'), clock.now())
  return keys
}

function openTracer({ traces, clock, log }: ControlPlaneOptions, redactor: Redactor, closing: (close: () => unknown) => void): Tracer | undefined {
  if (traces === undefined) return undefined
  const redact = (text: string): string => redactor.redact(text)
  for (const value of Object.values(traces.headers ?? {})) redactor.add(value, 'OTEL_EXPORTER_OTLP_HEADERS')
  const exporter = new OtlpExporter({ endpoint: traces, clock, log: (line) => log(redact(line)) })
  closing(() => exporter.stop())
  return new Tracer({ clock, redact, send: (span) => exporter.add(span) })
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
