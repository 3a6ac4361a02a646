import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { Clock } from '#lib/clock.ts'
import type { KubernetesObject, Objects } from '#playground/contract.ts'
import { fieldManagement } from '#playground/fields/field-management.ts'
import { Admission } from './admission/admission.ts'
import { Policies } from './admission/policies.ts'
import { Webhooks } from './admission/webhooks.ts'
import { auditOf } from './audit/audit-requests.ts'
import type { AuditPolicy } from './audit/audit-policy.ts'
import type { AuditSink } from './audit/audit-sink.ts'
import { AuditTrail } from './audit/audit-trail.ts'
import { Authenticator } from './auth/authenticator.ts'
import { impersonated } from './auth/impersonation.ts'
import { TokenSigner } from './auth/json-web-token.ts'
import { ServiceAccountTokens } from './auth/service-account-tokens.ts'
import { tokenRequestVerb } from './auth/token-request.ts'
import { aggregateRoles } from './authorization/aggregation.ts'
import { Authorizer } from './authorization/authorizer.ts'
import { foundRoles } from './authorization/default-roles.ts'
import { RoleIndex } from './authorization/role-index.ts'
import type { Backend, BackendOptions } from './backend.ts'
import { certificates, clientCertificate } from './certificates.ts'
import { cleanUpDefinitions } from './definition-cleanup.ts'
import { expireEvents } from './expire-events.ts'
import { type Fault, Faults } from './faults.ts'
import { startHttpServer } from './http-server.ts'
import { inFlight } from './objects/in-flight.ts'
import { inProcess, withoutWaiting } from './objects/in-process.ts'
import { apiServer, writerOf } from './objects/own-users.ts'
import { definitions, Registry } from './registry.ts'
import { routerOf } from './router.ts'
import { builtInSchema } from './schemas.ts'
import { Storage } from './storage.ts'
import { adminToken, Tokens } from './tokens.ts'
import { resourceOf } from './kinds.ts'

export type { Fault } from './faults.ts'

export type ApiServerOptions = Partial<BackendOptions> & {
  /** Where everything is kept: the journal, the certificates, the administrator's token. */
  readonly dir: string
  /** 0 for any. */
  readonly port: number
  readonly clock: Clock
  /** The cluster's name: it is in the certificate authority's. */
  readonly name: string
  /** What a watch may have waiting for a slow reader before it is cut off; 64 MiB where it is not given. */
  readonly watchBufferBytes?: number
  /** What is audited; `writes` where it is not given. Nothing is, while nobody wants to hear of it. */
  readonly auditPolicy?: AuditPolicy
  /** Five characters behind a `generateName`; random ones where it is not given. */
  readonly newSuffix?: () => string
}

/** `status` is there once it is answered. */
export type LoggedRequest = { readonly method: string; readonly path: string; readonly at: number; readonly status?: number }

export type ApiServer = {
  readonly url: string
  readonly port: number
  /** The certificate authority, PEM. */
  readonly ca: string
  readonly adminToken: string
  /** A key and a certificate, PEM, for a user of groups: what roles give them they may do. Valid for a year, or so many days. */
  clientCertificate(user: { readonly name: string; readonly groups: readonly string[] }, days?: number): { readonly certificate: string; readonly key: string }
  /** Webhooks are not asked about what is written so; policies judge it. */
  readonly objects: Objects
  /** For controllers: webhooks are asked about what they write, which may throw `StillAsking`. */
  readonly controllersObjects: Objects
  /** Tells of what is done from now on, as audit events. Returns what ends it. */
  auditTo(sink: AuditSink): () => Promise<void>
  /** The last requests, oldest first; at most 10,000. `path` bears the query. */
  requests(): readonly LoggedRequest[]
  /** For tests: see `Fault`. */
  inject(fault: Fault): void
  /** Forgets all history, as when the store behind a real server is compacted: older versions are then 410. */
  compact(): void
  /** Ends every connection and closes the journal. What was answered is on disk already. */
  stop(): Promise<void>
}

const longestLog = 10_000
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789' // Kubernetes' own: no vowels, nothing to misread

/** Starts a Kubernetes API on loopback. Failure: `playground-journal`; and what the system says of a port that is in use. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const audit = new AuditTrail(options.auditPolicy ?? 'writes')
  const backend = backendOf(options, audit)
  const objects = inProcess({ backend, audit, writerOf, drive: withoutWaiting })
  const controllersObjects = inProcess({ backend, audit, writerOf, drive: inFlight(options.clock) })
  const own = inProcess({ backend, audit, writerOf: () => apiServer, drive: withoutWaiting })
  keepDefinitions(backend)
  foundNamespaces(own)
  foundRoles(own)
  aggregateRoles(backend.storage, own)
  expireEvents(backend)
  cleanUpDefinitions(backend)
  const tokens = new Tokens()
  const admin = adminToken(options.dir)
  tokens.add(admin, { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })
  const pair = certificates(options.dir, options.name)
  const accounts = new ServiceAccountTokens(new TokenSigner(options.dir), backend.storage, options.clock)
  const authenticator = new Authenticator(tokens, accounts)
  const faults = new Faults()
  const log: LoggedRequest[] = []
  let address = ''
  const http = await startHttpServer({
    certificates: pair,
    port: options.port,
    authenticate: (headers, connection, socket) => {
      const user = authenticator.authenticate(headers, connection, socket)
      return user === undefined ? undefined : { ...user }
    },
    impersonated: (user, rawHeaders) => impersonated(user, rawHeaders, backend.authorizer),
    handle: routerOf(backend, authenticator, tokenRequestVerb(accounts), () => address, audit),
    audit: auditOf(audit, options.clock),
    durable: () => backend.storage.durable(),
    faults,
    watchBufferBytes: options.watchBufferBytes ?? 64 * 1024 * 1024,
    log: (method, path) => {
      const entry: LoggedRequest & { status?: number } = { method, path, at: options.clock.now() }
      log.push(entry)
      if (log.length > longestLog) log.splice(0, longestLog / 10)
      return (status) => {
        entry.status = status
      }
    },
  })
  address = `127.0.0.1:${http.port}`
  return {
    url: `https://${address}`,
    port: http.port,
    ca: pair.ca,
    adminToken: admin,
    clientCertificate: (user, days) => clientCertificate(pair, options.name, user, days),
    objects,
    controllersObjects,
    auditTo: (sink) => audit.add(sink),
    requests: () => log,
    inject: (fault) => faults.add(fault),
    compact: () => backend.storage.compact(),
    stop: async () => {
      await http.stop()
      await audit.stop()
      await backend.storage.close()
    },
  }
}

function backendOf(options: ApiServerOptions, audit: AuditTrail): Backend {
  const storage = new Storage(options.dir)
  const registry = new Registry(builtInSchema)
  const authorizer = new Authorizer(new RoleIndex(storage))
  const reach = options.reach ?? ((host, port) => Promise.resolve({ host, port }))
  let services = 0
  const nextClusterIP = (): string => {
    const taken = new Set(storage.list('/services').map((service) => (service.spec as { clusterIP?: string } | undefined)?.clusterIP))
    for (;;) {
      services += 1
      const address = `10.96.${Math.floor(services / 250) % 256}.${(services % 250) + 1}`
      if (!taken.has(address)) return address
    }
  }
  return {
    storage,
    registry,
    clock: options.clock,
    fields: fieldManagement,
    authorizer,
    admission: new Admission(new Policies({ storage, registry }, authorizer, audit), new Webhooks({ storage, registry }, authorizer, audit, reach)),
    options: {
      namespaceLifecycle: options.namespaceLifecycle ?? true,
      assignClusterIP: options.assignClusterIP ?? nextClusterIP,
      logs: options.logs ?? (() => ''),
      reach,
    },
    newUid: () => randomUUID(),
    newSuffix: options.newSuffix ?? (() => Array.from(randomBytes(5), (byte) => suffixAlphabet[byte % suffixAlphabet.length]).join('')),
  }
}

/** The registry serves what definitions say, from the moment that they are written. */
function keepDefinitions(backend: Backend): void {
  const resource = resourceOf(definitions)
  const nameOf = ({ metadata }: KubernetesObject): string => metadata.name ?? ''
  for (const object of backend.storage.list(resource)) backend.registry.define(nameOf(object), object)
  backend.storage.subscribe((change) => {
    if (change.resource === resource) backend.registry.define(nameOf(change.object), change.type === 'DELETED' ? undefined : change.object)
  })
}

/** A cluster is known by the uid of `kube-system`. */
function foundNamespaces(objects: Objects): void {
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' }
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    if (objects.get(namespaces, '', name) !== undefined) continue
    objects.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'kube-apiserver')
  }
}
