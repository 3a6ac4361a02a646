import { describe, expect, test } from 'vitest'
import { environmentSchema } from '#model/config/environment.ts'
import type { Limits } from '#model/config/workspace.ts'
import type { ProbeCapabilities } from '#probes/probe.ts'
import { capabilitiesFor } from './probe-capabilities.ts'
import type { Work } from './work.ts'

const production = environmentSchema({}).parse({
  apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'production' },
  spec: {
    tier: 'production',
    addresses: { metrics: 'http://metrics:9090', internal: 'http://internal' },
    reach: ['metrics', 'cluster', 'orders-db', 'runner'],
    targets: {
      cluster: { kubernetes: { context: 'prod', jobs: { namespace: 'probes', serviceAccount: 'probe', images: ['registry.example/tools/*'] } } },
      plain: { kubernetes: { context: 'prod' } },
      'orders-db': { mysql: { url: { secretRef: 'env:DB#url' } } },
      runner: { host: { commands: { disk: { argv: ['/bin/df', '-h'] }, look: { argv: ['/bin/look'], arguments: 'allowed', env: { LC_ALL: 'C' } } } } },
      secluded: { host: { commands: { disk: { argv: ['/bin/df'] } } } },
    },
  },
})
const cluster = { name: 'the client' }
const resolved: string[] = []

function capabilities(limits: Limits): ProbeCapabilities {
  const parts = {
    kubernetes: async () => cluster,
    resolve: async () => [],
    resolveSecret: async (reference: string) => {
      resolved.push(reference)
      return { value: 'hush-hush' }
    },
  }
  const work = { parts, environment: production, claim: { signal: new AbortController().signal } } as unknown as Work
  return capabilitiesFor(work, { name: 'orders', repository: 'orders', limits } as never)
}

const tenant: Limits = { environments: ['*'], targets: ['cluster', 'plain', 'orders-db', 'runner'], namespaces: ['orders'], kinds: 'namespaced', secrets: ['vault:kv/*/orders*'] }
const refused = (message: string) => ({ code: 'probe-out-of-reach', message })

describe('what a tenant’s probe may use', () => {
  test('a database of MySQL, as one of PostgreSQL', async () => {
    expect(await capabilities(tenant).sqlUrl('orders-db')).toBe('hush-hush')
    await expect(capabilities({ ...tenant, targets: ['cluster'] }).sqlUrl('orders-db')).rejects.toMatchObject(refused('probes of this repository may not ask the target orders-db'))
    await expect(capabilities(tenant).sqlUrl('runner')).rejects.toMatchObject({ code: 'target-unknown' })
  })

  test('secrets that its repository may name, and no other is even resolved', async () => {
    expect(await capabilities(tenant).secret('vault:kv/production/orders#token')).toBe('hush-hush')
    resolved.length = 0
    await expect(capabilities(tenant).secret('vault:kv/production/payments#token')).rejects.toMatchObject({ code: 'limits-secret', message: 'repository orders may not use the secret reference vault:kv/production/payments#token' })
    expect(resolved).toEqual([])
    expect(await capabilities('everything').secret('env:ANY')).toBe('hush-hush')
  })

  test('Jobs where the environment has a place for them, of images that it lists', async () => {
    expect(await capabilities(tenant).jobs('cluster', 'registry.example/tools/check:1')).toEqual({ client: cluster, namespace: 'probes', serviceAccount: 'probe', owner: 'production/orders' })
    for (const image of ['registry.example/tools/x/y:1', 'evil.example/tools/check:1', 'registry.example/tools']) {
      await expect(capabilities(tenant).jobs('cluster', image)).rejects.toMatchObject(refused(`Jobs of the image ${image} may not run for probes at cluster`))
    }
    await expect(capabilities('everything').jobs('plain', 'registry.example/tools/check:1')).rejects.toMatchObject(refused('target plain has no place for the Jobs of probes'))
    await expect(capabilities('everything').jobs('runner', 'x')).rejects.toMatchObject(refused('target runner has no place for the Jobs of probes'))
    await expect(capabilities(tenant).jobs('plain', 'x')).rejects.toMatchObject(refused('probes in production may not reach plain'))
    await expect(capabilities({ ...tenant, targets: [] }).jobs('cluster', 'registry.example/tools/check:1')).rejects.toMatchObject(refused('probes of this repository may not ask the target cluster'))
  })

  test('commands of a host that the operator listed, with arguments where he said so', async () => {
    const { hostProgram } = capabilities(tenant)
    expect(await hostProgram('runner', 'disk', [])).toEqual({ argv: ['/bin/df', '-h'], env: {} })
    expect(await hostProgram('runner', 'look', ['-x', 'a b'])).toEqual({ argv: ['/bin/look', '-x', 'a b'], env: { LC_ALL: 'C' } })
    await expect(hostProgram('runner', 'disk', ['/etc'])).rejects.toMatchObject(refused('the command disk of runner takes no arguments'))
    for (const command of ['sh', '/bin/sh', 'constructor', '']) await expect(hostProgram('runner', command, [])).rejects.toMatchObject(refused(`the host runner runs no command ${command} for probes`))
    await expect(hostProgram('cluster', 'disk', [])).rejects.toMatchObject(refused('target cluster is no host'))
    await expect(hostProgram('secluded', 'disk', [])).rejects.toMatchObject(refused('probes in production may not reach secluded'))
    await expect(capabilities('everything').hostProgram('runner', 'disk', ['/etc'])).rejects.toMatchObject(refused('the command disk of runner takes no arguments'))
  })

  test('addresses that the environment lists', () => {
    expect(capabilities(tenant).reach.address('metrics')).toBe('http://metrics:9090')
    expect(() => capabilities(tenant).reach.address('internal')).toThrow('probes in production may not reach internal')
    expect(() => capabilities('everything').reach.address('metric')).toThrow(expect.objectContaining({ code: 'address-unknown', subject: 'metric', hint: 'Its addresses: metrics, internal.' }))
  })
})

test('a host’s command is an absolute path', () => {
  const withCommand = (argv: string[]): boolean => environmentSchema({}).safeParse({ apiVersion: production.apiVersion, kind: 'Environment', metadata: { name: 'host' }, spec: { tier: 'sandbox', targets: { host: { host: { commands: { a: { argv } } } } } } }).success
  expect([['/bin/df'], ['df'], ['./df'], []].map(withCommand)).toEqual([true, false, false, false])
})
