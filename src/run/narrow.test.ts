import { describe, expect, test } from 'vitest'
import type { KubernetesClient, ServedKind } from '#clients/kubernetes/client.ts'
import type { Limits } from '#model/config/workspace.ts'
import { narrowed } from './narrow.ts'

const kind = (group: string, name: string, namespaced: boolean): ServedKind => ({ group, version: 'v1', kind: name, plural: `${name.toLowerCase()}s`, namespaced, verbs: ['get'] })
const pods = kind('', 'Pod', true)
const nodes = kind('', 'Node', false)
const deployments = kind('apps', 'Deployment', true)
const signal = new AbortController().signal

/** A FakeKubernetesClient that answers every read, so that only the narrowing can refuse. */
const fakeClient = {
  get: async () => ({ found: true }),
  list: async () => ({ items: [], version: '1' }),
  watch: async function* () {},
  apply: async () => ({ object: {}, created: false, warnings: [] }),
  delete: async () => 'gone' as const,
} as unknown as KubernetesClient

const team: Limits = { environments: ['*'], targets: ['cluster'], namespaces: ['orders', 'orders-*'], kinds: 'namespaced', secrets: [] }
const refused = expect.objectContaining({ code: 'probe-out-of-reach' })

describe('a cluster as a team’s probes see it', () => {
  test.each([
    ['the team’s own namespace', pods, 'orders', true],
    ['one that a glob covers', deployments, 'orders-eu', true],
    ['another team’s namespace', pods, 'storefront', false],
    ['all namespaces', pods, undefined, false],
    ['no namespace', pods, '', false],
    ['what belongs to the cluster', nodes, '', false],
  ] as const)('%s', async (_, served, namespace, allowed) => {
    const client = narrowed(fakeClient, 'orders', team)
    if (allowed) {
      expect(await client.get(served, namespace, 'x', signal)).toEqual({ found: true })
      expect(await client.list(served, namespace, {}, signal)).toMatchObject({ version: '1' })
      return
    }
    await expect(client.list(served, namespace, {}, signal)).rejects.toEqual(refused)
    await expect(client.get(served, namespace ?? '', 'x', signal)).rejects.toEqual(refused)
    expect(() => client.watch(served, namespace, {}, undefined, signal)).toThrowError(refused)
  })

  test('a list of kinds is the whole list', async () => {
    const client = narrowed(fakeClient, 'orders', { ...team, kinds: ['Deployment.apps'] })
    expect(await client.get(deployments, 'orders', 'x', signal)).toEqual({ found: true })
    await expect(client.get(pods, 'orders', 'x', signal)).rejects.toEqual(refused)
  })

  test('without limits everything can be read, and nothing written', async () => {
    const client = narrowed(fakeClient, 'platform', 'everything')
    expect(await client.get(nodes, '', 'x', signal)).toEqual({ found: true })
    expect(() => client.delete(pods, 'orders', 'x', { uid: '1', propagation: 'Background', dryRun: false }, signal)).toThrowError(refused)
    expect(() => client.apply(pods, {}, { manager: 'x', force: false, dryRun: false }, signal)).toThrowError(refused)
  })
})
