import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Driver } from '#drivers/driver.ts'
import { kubernetes } from '#drivers/kubernetes/kubernetes.ts'
import type { Observation, Owner } from '#model/plan.ts'
import { never } from '#source/fixture.ts'
import { hold } from '#store/inventory.ts'
import { saveStatus } from '#store/statuses.ts'
import { adoptPlace, deployment } from '../../../test/adopt-place.ts'
import type { AdoptPlace, Workspace } from '../../../test/adopt-place.ts'
import { proposeYield, yieldedFields } from './yielded.ts'

const key = 'apps/Deployment/shop/api'
const olga = { name: 'olga', emails: [], grants: [] }
const plumbline: Owner = { manager: 'plumbline', operation: 'Apply', subresource: '', paths: ['spec.replicas'] }
const autoscaler: Owner = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale', paths: ['spec.replicas'] }

let shared: AdoptPlace
let owners: readonly Owner[]
let at: Workspace
/** A fake that observes one Deployment below an autoscaler, and does nothing else. */
const fakeDriver = {
  ...kubernetes,
  observe: async (_call: unknown, keys: readonly string[]): Promise<Observation[]> =>
    keys.map((one) => ({ key: one, state: 'present', uid: 'u', version: '1', body: { spec: { replicas: 4 } }, owners, delegated: [{ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/api' }], terminating: false })),
} as Driver

beforeAll(async () => {
  shared = await adoptPlace()
  at = await shared.workspace({ driver: fakeDriver, files: { 'api/production/deployment.yaml': `${deployment}  paused: false\n` } })
  const now = shared.clock.now()
  await hold(shared.store, { place: 'p', key, uid: 'u', environment: 'production', module: 'api', desired: 'sha256:1', fields: [{ path: 'spec.replicas', git: 1, mark: 'yielded' }, { path: 'spec.paused', git: false }], run: 'run-1', apiVersion: 'apps/v1' })
  await saveStatus(shared.store, {
    environment: 'production', module: 'api', repository: 'platform', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'passed',
    readinessOnly: false, intent: null, delivered: null, snapshot: null, snapshotSeq: null, run: null, verifiedSince: null, failure: null, updatedAt: now,
  } as never)
})
afterAll(() => shared.stop())

const ask = (object = 'Deployment shop/api') => proposeYield(at.parts, 'production', { module: 'api', object, reason: 'the autoscaler knows better' }, olga, never)

test('while it is ours alone it is listed, and not taken out: the next apply would delete it', async () => {
  owners = [plumbline]
  expect(await yieldedFields(at.parts, 'production', undefined, never)).toEqual([{ module: 'api', object: key, path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/api', isSafe: false }])
  await expect(ask()).rejects.toMatchObject({ code: 'yield-unsafe' })
  await expect(ask('Deployment shop/other')).rejects.toMatchObject({ code: 'yield-nothing' })
  expect(at.source.run('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main')
})

test('once its controller owns it, a commit declares it no more, and nothing else changes; asked again it is the same', async () => {
  owners = [plumbline, autoscaler]
  const proposed = await ask()
  expect(proposed).toMatchObject({ repository: 'platform', pullRequest: null, edits: [{ file: 'api/production/deployment.yaml', line: 5, before: '  replicas: 1 # enough', after: '' }] })
  expect(at.source.run('show', `${proposed.branch}:api/production/deployment.yaml`)).toBe(`${deployment}  paused: false`.replace('  replicas: 1 # enough\n', ''))
  expect(at.source.run('log', '-1', '--format=%an <%ae> %s', proposed.branch)).toBe('olga <olga@plumbline.invalid> Leave spec.replicas of Deployment shop/api in production to HorizontalPodAutoscaler shop/api')
  expect(await ask()).toMatchObject({ commit: proposed.commit, branch: proposed.branch, edits: [] })
})
