import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { application } from '#api/application.ts'
import { hashToken } from '#api/authorise.ts'
import type { Route } from '#api/route.ts'
import { FakeClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { Finding } from '#model/finding.ts'
import type { Principal, Role } from '#model/principal.ts'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import { probeTimes } from '#run/metrics/timed-probes.ts'
import type { Parts } from '#run/parts.ts'
import { saveFindings } from '#store/findings.ts'
import { openStore } from '#store/open.ts'
import { revokeTokens, savePrincipal, saveToken } from '#store/principals.ts'
import { createRun } from '#store/runs.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { saveStatus } from '#store/statuses.ts'
import { layEmptyStore } from './empty-store.ts'

export const places = ['sandbox', 'staging', 'production'] as const

/** The API on a real store with a run and a status in each environment, and nothing behind it: no repository, no cluster. */
export type ApiPlace = {
  readonly app: Hono
  readonly store: Store
  readonly clock: FakeClock
  readonly parts: Parts
  readonly log: string[]
  readonly stopping: AbortController
  /** Another application on the same parts, with its own limits, and with other routes where some are given. */
  fresh(table?: readonly Route[]): Hono
  /** A principal with this role in these environments; answers its token. */
  token(name: string, grants: Principal['grants'] | Role, expiresAt?: number | null): Promise<string>
  get(path: string, token?: string): Promise<{ status: number; body: unknown; headers: Headers }>
  post(path: string, token: string | undefined, body: unknown): Promise<{ status: number; body: unknown; headers: Headers }>
  stop(): Promise<void>
}

export const webhookSecret = 'the-secret-of-the-installation'

export async function openApiPlace(): Promise<ApiPlace> {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-api-'))
  const clock = new FakeClock()
  const store = await openStore({ dir: layEmptyStore(dir) }, clock)
  const log: string[] = []
  const parts = { sql: store, clock, webhookSecret, redactor: new Redactor(), probeTimes: probeTimes(), signer: signerOf(newKeyPair().privatePem), log: (line: string) => log.push(line), ...nothingBehind() } as unknown as Parts
  await seed(store, clock.now())
  const stopping = new AbortController()
  const app = application(parts, store, stopping.signal)
  const ask = async (path: string, init: RequestInit): Promise<{ status: number; body: unknown; headers: Headers }> => {
    const answer = await app.request(path, init)
    return { status: answer.status, body: await answer.json(), headers: answer.headers }
  }
  const bearer = (token: string | undefined): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` })
  return {
    app, store, clock, parts, log, stopping,
    fresh: (table) => application(parts, store, stopping.signal, table),
    token: async (name, grants, expiresAt = null) => {
      const token = `${name}-${'0'.repeat(40)}`.replaceAll(/[^A-Za-z0-9_-]/g, '_')
      await savePrincipal(store, { name, emails: [], grants: typeof grants === 'string' ? [{ role: grants, environments: ['*'] }] : grants }, clock.now())
      await revokeTokens(store, name)
      await saveToken(store, { hash: hashToken(token), principal: name, createdAt: clock.now(), expiresAt })
      return token
    },
    get: (path, token) => ask(path, { headers: bearer(token) }),
    post: (path, token, body) => ask(path, { method: 'POST', headers: { ...bearer(token), 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    stop: async () => {
      stopping.abort()
      await store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const findingAt = (environment: string, at: number): Finding => ({
  id: `f-of-${environment}`, environment, place: 'place', target: 'cluster', driver: 'kubernetes', module: 'shop', object: 'apps/Deployment/shop/web', cause: 'manual',
  fields: [{ path: 'spec.replicas', declared: 2, live: 5 }], manager: 'kubectl-edit', person: null, onset: at, seenAt: at, updatedAt: at, count: 1, state: 'open', decision: 'report',
  message: 'it drifted', source: null, accepted: null, run: null, failure: null, turns: [{ by: 'kubectl-edit', at }], digest: 'sha256:1', traces: [], resolvedAt: null,
})

async function seed(store: Store, at: number): Promise<void> {
  await saveSnapshot(store, { id: 'snapshot', commits: { shop: 'a'.repeat(40) } }, at)
  await saveFindings(store, places.map((place) => findingAt(place, at)), at)
  for (const place of places) {
    await createRun(store, {
      id: `run-of-${place}`, environment: place, kind: 'change', snapshot: 'snapshot', actor: 'Ada <ada@shop.example>', reason: 'why', ticket: null, startedBy: null,
      changes: [], modules: { shop: { intent: 'intent', changed: true } }, createdAt: at,
    })
    await saveStatus(store, {
      environment: place, module: 'shop', repository: 'shop', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'behind', verification: 'unknown',
      readinessOnly: false, intent: null, delivered: null, snapshot: null, snapshotSeq: null, run: null, verifiedSince: null, failure: null, verifiedAt: null, staleAt: null, movedAt: null, movedWhy: null, updatedAt: at,
    })
  }
}

/** Takes every event for a write to the object that it names. */
const fakeDriver = {
  id: 'kubernetes',
  audited: (_: unknown, events: readonly { id: string; object: string }[]) => Promise.resolve(events.map(({ id, object }) => ({ id, object, verb: 'patch', user: 'kim', manager: null, at: 1 }))),
}

function nothingBehind(): Partial<Record<keyof Parts, unknown>> {
  const document = (name: string, tier: string) =>
    environmentSchema({}).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name }, spec: { tier, targets: { cluster: { kubernetes: { context: name, audit: { webhook: { secretRef: 'env:HOOK' } } } } } } })
  const configuration = {
    workspace: { metadata: { name: 'shop' }, spec: { repositories: {} } },
    environments: new Map(places.map((place) => [place, document(place, place)])),
    modules: new Map([['shop', { repository: 'shop', config: { spec: {} } }]]),
    problems: [],
    broken: [],
  }
  return {
    drivers: [fakeDriver],
    kubernetes: () => Promise.resolve({}),
    configurations: { of: () => Promise.resolve(configuration) },
    repositories: {
      caughtUp: 'snapshot',
      names: () => ['orders', 'platform'],
      mirror: (name: string) => ({ url: `https://git.example/shop/${name}.git`, branch: 'main' }),
      config: (name: string) => (name === 'orders' ? { webhook: { secret: { secretRef: 'env:HOOK' } } } : undefined),
    },
    resolveSecret: (reference: string) => {
      if (reference === 'env:HOOK') return Promise.resolve({ value: 'the-secret-of-orders', version: '1' })
      throw new Failure({ code: 'secret-not-found', subject: reference, message: 'there is none' })
    },
  }
}
