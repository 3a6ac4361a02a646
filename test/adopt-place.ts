import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeForge } from '#clients/forge/fake-forge.ts'
import { ensurePullRequest } from '#clients/forge/pull-request.ts'
import type { Driver } from '#drivers/driver.ts'
import { FakeClock } from '#lib/clock.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Finding } from '#model/finding.ts'
import { memoryRenderCache } from '#render/cache.ts'
import { renderTools } from '#render/tools.ts'
import { Fixture, never } from '#source/fixture.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { saveFindings } from '#store/findings.ts'
import { openStore } from '#store/open.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { Configurations } from '#run/configuration.ts'
import type { Parts } from '#run/parts.ts'
import { Repositories } from '#run/repositories.ts'
import { layEmptyStore } from './empty-store.ts'

export const forgeToken = 'canary-forge-31f'
export const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api, namespace: shop }\nspec:\n  replicas: 1 # enough\n'

/** For tests: a store, real Git repositories, a fake forge; no cluster but the driver that is handed in. */
export type AdoptPlace = {
  readonly clock: FakeClock
  readonly store: Store
  readonly forge: FakeForge
  /** A workspace of one repository, delivered at its head, and a finding of it. */
  workspace(options?: WorkspaceOptions): Promise<Workspace>
  stop(): Promise<void>
}
export type WorkspaceOptions = { readonly forge?: boolean; readonly drift?: string; readonly files?: Record<string, string>; readonly finding?: Partial<Finding>; readonly driver?: Driver }
export type Workspace = { readonly parts: Parts; readonly source: SourceRepository; readonly head: string; readonly finding: string; readonly problems: readonly FailureJson[] }

const environment = (name: string, tier: string, drift = ''): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Environment\nmetadata: { name: ${name} }\nspec: { tier: ${tier}, targets: { cluster: { kubernetes: { context: x } } }${drift} }\n`

export async function adoptPlace(): Promise<AdoptPlace> {
  const clock = new FakeClock()
  const fixture = new Fixture()
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-adopt-run-'))
  const store = await openStore({ dir: layEmptyStore(folder) }, clock)
  const forge = await new FakeForge('gitea', forgeToken).start()
  const opened: Repositories[] = []
  let count = 0

  const workspace = async (options: WorkspaceOptions = {}): Promise<Workspace> => {
    count += 1
    const source = fixture.repository(`platform-${count}`)
    const forgeConfig = options.forge === true ? `, forge: { kind: gitea, url: "${forge.url}", project: shop/orders, token: { secretRef: "env:FORGE" } }` : ''
    const head = source.commit({
      'plumbline.yaml': `apiVersion: plumbline.dev/v1alpha1\nkind: Workspace\nmetadata: { name: shop }\nspec: { repositories: { platform: { url: ., allow: everything${forgeConfig} } } }\n`,
      'environments/production.yaml': environment('production', 'production', options.drift),
      'environments/sandbox.yaml': environment('sandbox', 'sandbox', options.drift === undefined ? '' : ', drift: { adopt: { push: deployed } }'),
      'api/module.yaml': 'apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: api }\nspec: { target: cluster, source: { path: "${environment}" } }\n',
      'api/production/deployment.yaml': deployment,
      'api/sandbox/deployment.yaml': deployment,
      ...options.files,
    })
    const resolveSecret = async () => ({ value: forgeToken, version: '1' })
    const repositories = new Repositories({ dir: join(folder, `mirrors-${count}`), workspace: { url: source.path, branch: 'main' }, git: fixture.git, clock, resolveSecret })
    opened.push(repositories)
    await repositories.mirror('workspace').fetch(never)
    const snapshot = { id: `s-${count}`, commits: { platform: head } }
    repositories.nameWorkspace('platform')
    const configurations = new Configurations(repositories, {})
    const configuration = await configurations.of(snapshot)
    repositories.follow(configuration.workspace)
    await saveSnapshot(store, snapshot, clock.now())
    const tools = renderTools({ path: process.env['PATH'] ?? '', tempDir: folder })
    const parts = {
      sql: store, clock, repositories, configurations, renderCache: memoryRenderCache(), tools, resolveSecret, pullRequest: ensurePullRequest, drivers: options.driver === undefined ? [] : [options.driver],
      kubernetes: async () => ({}), secretDigest: (value: string) => value, log: () => {},
    } as unknown as Parts
    const finding: Finding = {
      id: `f-${count}`, environment: 'production', place: `p-${count}`, target: 'cluster', driver: 'kubernetes', module: 'api', object: 'apps/Deployment/shop/api', cause: 'manual',
      fields: [{ path: 'spec.replicas', declared: 1, live: 3 }], manager: 'kubectl (scale)', person: null, onset: clock.now(), seenAt: clock.now(), updatedAt: clock.now(), count: 1, state: 'open', decision: 'report',
      message: 'somebody scaled it', source: null, accepted: null, run: null, failure: null, turns: [], digest: `sha256:${count}` as never, traces: [], resolvedAt: null, ...options.finding,
    }
    await saveFindings(store, [finding], clock.now())
    return { parts, source, head, finding: finding.id, problems: configuration.problems }
  }
  return {
    clock, store, forge, workspace,
    stop: async () => {
      for (const repositories of opened) repositories.close()
      await forge[Symbol.asyncDispose]()
      await store.close()
      fixture[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
