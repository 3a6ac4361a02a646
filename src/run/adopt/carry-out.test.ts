import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { FakeForge } from '#clients/forge/fake-forge.ts'
import { ensurePullRequest } from '#clients/forge/pull-request.ts'
import { FakeClock } from '#lib/clock.ts'
import type { Finding } from '#model/finding.ts'
import { memoryRenderCache } from '#render/cache.ts'
import { renderTools } from '#render/tools.ts'
import { Fixture, never } from '#source/fixture.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { findAdoption } from '#store/adoptions.ts'
import { changesOfFinding, findingNow, saveFindings } from '#store/findings.ts'
import { openStore } from '#store/open.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { Configurations } from '../configuration.ts'
import type { Parts } from '../parts.ts'
import { Repositories } from '../repositories.ts'
import { askAdoption, askByPolicy } from './ask.ts'
import { carryOutAdoption } from './carry-out.ts'
import { adoptionPatch } from './patch.ts'

const clock = new FakeClock()
const fixture = new Fixture()
const folder = mkdtempSync(join(tmpdir(), 'plumbline-adopt-run-'))
const token = 'canary-forge-31f'
const olga = { name: 'olga', emails: ['olga@shop.example'], grants: [] }
const claim = { signal: never, fence: async () => {}, assertLease: async () => {} }

let store: Store
let forge: FakeForge
let source: SourceRepository
let parts: Parts
let count = 0
let id = ''

beforeAll(async () => {
  store = await openStore({ dir: folder }, clock)
  forge = await new FakeForge('gitea', token).start()
})
afterEach(() => parts.repositories.close())
afterAll(async () => {
  await forge[Symbol.asyncDispose]()
  await store.close()
  fixture[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api, namespace: shop }\nspec:\n  replicas: 1 # enough\n'
const environment = (name: string, tier: string, drift = '') => `apiVersion: plumbline.dev/v1alpha1\nkind: Environment\nmetadata: { name: ${name} }\nspec: { tier: ${tier}, targets: { cluster: { kubernetes: { context: x } } }${drift} }\n`

/** A workspace of one repository, delivered at its head, and a finding of it. */
async function place(options: { forge?: boolean; drift?: string; files?: Record<string, string>; finding?: Partial<Finding> } = {}): Promise<string> {
  count += 1
  source = fixture.repository(`platform-${count}`)
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
  const repositories = new Repositories({
    dir: join(folder, `mirrors-${count}`), workspace: { url: source.path, branch: 'main' }, git: fixture.git, clock,
    resolveSecret: async () => ({ value: token, version: '1' }),
  })
  await repositories.mirror('workspace').fetch(never)
  const snapshot = { id: `s-${count}`, commits: { platform: head } }
  repositories.nameWorkspace('platform')
  const configurations = new Configurations(repositories, {})
  const configuration = await configurations.of(snapshot)
  expect(configuration.problems).toEqual([])
  repositories.follow(configuration.workspace)
  await saveSnapshot(store, snapshot, clock.now())
  parts = {
    sql: store, clock, repositories, configurations, renderCache: memoryRenderCache(), tools: renderTools({ path: process.env['PATH'] ?? '', tempDir: folder }),
    resolveSecret: async () => ({ value: token, version: '1' }), pullRequest: ensurePullRequest, log: () => {},
  } as unknown as Parts
  id = `f-${count}`
  const finding: Finding = {
    id, environment: 'production', place: `p-${count}`, target: 'cluster', driver: 'kubernetes', module: 'api', object: 'apps/Deployment/shop/api', cause: 'manual',
    fields: [{ path: 'spec.replicas', declared: 1, live: 3 }], manager: 'kubectl (scale)', person: null, onset: clock.now(), seenAt: clock.now(), updatedAt: clock.now(), count: 1, state: 'open', decision: 'report',
    message: 'somebody scaled it', source: null, accepted: null, run: null, failure: null, turns: [], digest: `sha256:${count}` as never, resolvedAt: null, ...options.finding,
  }
  await saveFindings(store, [finding], clock.now())
  return head
}

const run = () => carryOutAdoption(parts, id, claim)
/** As the queue does, until there is nothing to do at once. */
async function carryOut(): Promise<number | undefined> {
  for (let turn = 0; turn < 5; turn += 1) {
    const again = (await run())?.again
    if (again === undefined || again > clock.now()) return again
  }
  throw new Error('it never ends')
}
const state = async () => ({ finding: await findingNow(store, id), adoption: await findAdoption(store, id) })
const merge = (commit: string) => source.run('update-ref', 'refs/heads/main', commit)

test('a commit on a branch of its own, by who asked, with its trailers; the deployed branch is not touched, and the finding stays open', async () => {
  const head = await place()
  await askAdoption(parts, id, olga, 'Black Friday')
  expect((await state()).finding).toMatchObject({ state: 'adopting' })
  expect(await carryOut()).toBe(clock.now() + 7 * 86_400_000)
  const { adoption, finding } = await state()
  expect(adoption).toMatchObject({ state: 'proposed', repository: 'platform', pullRequest: null, edits: [{ file: 'api/production/deployment.yaml', line: 5, column: 13, before: '1', after: '3' }] })
  expect(finding).toMatchObject({ state: 'adopting' })
  expect(source.run('rev-parse', 'main')).toBe(head)
  expect(source.run('rev-parse', `plumbline/adopt-${id}`)).toBe(adoption?.commit)
  expect(source.run('show', `plumbline/adopt-${id}:api/production/deployment.yaml`)).toBe(deployment.replace('replicas: 1', 'replicas: 3').trimEnd())
  expect(source.run('log', '-1', '--format=%an <%ae>|%s|%(trailers:key=Reason,separator=;)|%(trailers:key=Finding)', `plumbline/adopt-${id}`)).toBe(`olga <olga@shop.example>|Adopt spec.replicas of Deployment shop/api from production|Reason: Black Friday|Finding: ${id}`)
  expect((await changesOfFinding(store, id, 9)).map(({ what, actor, reason }) => [what, actor, reason])).toEqual([['adopting', 'olga', 'Black Friday']])
})

test('asked twice, or carried out again after a crash, it finds the branch that is there; when the live value moved on, a commit goes on top', async () => {
  await place()
  await askAdoption(parts, id, olga, 'why')
  await run()
  const first = (await state()).adoption?.commit
  await askAdoption(parts, id, olga, 'once more')
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', commit: first, edits: [{ after: '3' }] })
  const { finding } = await state()
  await saveFindings(store, [{ ...finding!, fields: [{ path: 'spec.replicas', declared: 1, live: 5 }] }], clock.now())
  await askAdoption(parts, id, olga, 'even more')
  await carryOut()
  const second = (await state()).adoption?.commit
  expect(source.run('rev-parse', `${second}^`)).toBe(first)
  merge(second!)
  await askAdoption(parts, id, olga, 'is it there?')
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', commit: second, branch: 'main', edits: [] })
})

test('a pull request is opened where the repository has a forge; one that it refuses leaves the branch and says why', async () => {
  await place({ forge: true })
  await askAdoption(parts, id, olga, 'why')
  await carryOut()
  expect((await state()).adoption).toMatchObject({ pullRequest: `${forge.url}/shop/orders/pulls/1`, failure: null })
  expect(forge.pulls).toMatchObject([{ branch: `plumbline/adopt-${id}`, into: 'main', title: 'Adopt spec.replicas of Deployment shop/api from production', body: expect.stringContaining('spec.replicas: 1 -> 3') }])

  await place({ forge: true })
  await askAdoption(parts, id, olga, 'why')
  await run()
  forge.next = { status: 503, body: '{}' }
  await expect(run()).rejects.toMatchObject({ code: 'forge-refused' }) // tried again by the queue
  forge.next = { status: 403, body: JSON.stringify({ message: `no, ${token}` }) }
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', pullRequest: null, failure: { code: 'forge-refused', message: expect.not.stringContaining(token) as never } })
})

test('what is not delivered by its deadline is a person’s again', async () => {
  await place()
  await askAdoption(parts, id, olga, 'why')
  await carryOut()
  clock.advance(7 * 86_400_000)
  expect(await carryOut()).toBeUndefined()
  expect(await state()).toMatchObject({ finding: { state: 'open', failure: { code: 'adopt-overdue' } }, adoption: { state: 'overdue' } })
  await askAdoption(parts, id, olga, 'it takes longer')
  await carryOut()
  expect(await state()).toMatchObject({ finding: { state: 'adopting', failure: null }, adoption: { state: 'proposed' } })
})

test('what no edit does is refused with the reason, and the finding is a person’s again', async () => {
  await place({ files: { 'api/module.yaml': 'apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: api }\nspec: { target: cluster, source: { path: production } }\n' } })
  await askAdoption(parts, id, olga, 'why')
  expect(await carryOut()).toBeUndefined()
  expect(await state()).toMatchObject({ finding: { state: 'open', failure: { code: 'adopt-no-place' } }, adoption: { state: 'refused', failure: { code: 'adopt-no-place' } } })
  expect(source.run('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main')
})

test('a sandbox that wants it so has it pushed to the branch that is followed; no other tier may', async () => {
  const head = await place({ drift: '', finding: { environment: 'sandbox' } })
  await askAdoption(parts, id, olga, 'why')
  await carryOut()
  const { adoption } = await state()
  expect(adoption).toMatchObject({ state: 'proposed', to: 'deployed' })
  expect(source.run('rev-parse', 'main')).toBe(adoption?.commit)
  expect(source.run('rev-parse', 'main^')).toBe(head)
  await expect(place({ drift: ', drift: { adopt: { push: deployed } }' })).rejects.toMatchObject({ code: 'configuration-invalid' })
})

test('by policy, once for what there is', async () => {
  await place({ finding: { decision: 'adopt' } })
  const { finding } = await state()
  await askByPolicy(store, parts, [finding!], undefined, clock.now())
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', by: 'plumbline' })
  await saveFindings(store, [finding!], clock.now())
  await askByPolicy(store, parts, [finding!], undefined, clock.now())
  expect((await state()).finding).toMatchObject({ state: 'open' })
})

test('a patch is made without a push; what is secret, another’s or resolved is not adopted', async () => {
  await place()
  const { patch, edits } = await adoptionPatch(parts, (await state()).finding!, never)
  expect(patch).toContain('-  replicas: 1 # enough\n+  replicas: 3 # enough\n')
  expect(edits).toHaveLength(1)
  expect(source.run('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main')
  const ask = async (finding: Partial<Finding>) => {
    await place({ finding })
    return askAdoption(parts, id, olga, 'why').then(() => 'asked', (error: { code?: string }) => error.code)
  }
  expect(await ask({ fields: [{ path: 'data.password', declared: null, live: null, secret: true }] })).toBe('adopt-secret')
  expect(await ask({ cause: 'orphan', fields: [] })).toBe('adopt-unfit')
  expect(await ask({ state: 'resolved' })).toBe('finding-resolved')
  expect(await ask({ state: 'reverting', run: 'run-1' })).toBe('finding-under-way')
  expect(await ask({ environment: 'nowhere' })).toBe('environment-unknown')
})
