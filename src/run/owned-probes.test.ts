import { expect, test } from 'vitest'
import { z } from 'zod'
import { environmentSchema } from '#model/config/environment.ts'
import type { Module } from '#model/config/module.ts'
import { probeSetSchema } from '#model/config/probe-set.ts'
import type { Limits } from '#model/config/workspace.ts'
import type { Configuration } from './configuration.ts'
import { probesOfEnvironment, probesOfModule } from './owned-probes.ts'
import type { Policy } from './policy.ts'

const kinds = { http: z.strictObject({ address: z.string(), path: z.string() }) }
const document = (kind: string, name: string, spec: object) => ({ apiVersion: 'plumbline.dev/v1alpha1', kind, metadata: { name }, spec })
const probe = (name: string) => ({ name, http: { address: 'ingress', path: '/${environment}/${region}' } })
const environment = environmentSchema(kinds).parse(document('Environment', 'staging', { tier: 'staging', targets: {}, variables: { region: 'eu' }, probes: [probe('dns')], changeProbes: [probe('whole')] }))
const set = probeSetSchema(kinds).parse(document('ProbeSet', 'web', { probes: [probe('up')] }))
const configuration = { workspace: { spec: { repositories: { platform: { url: '.' }, orders: { url: '../orders.git' } } } }, probeSets: new Map([['web', set]]) } as unknown as Configuration
const policy = { probes: environment.spec.probes, changeProbes: environment.spec.changeProbes, limits: { platform: 'everything', orders: { targets: [], namespaces: [], kinds: [], secrets: [] } } } as unknown as Policy

test('a module’s own probes have its rights, and those of the sets that it names the platform’s', () => {
  const tenant: Limits = { environments: ['staging'], targets: [], namespaces: [], kinds: [], secrets: [] }
  const config = { spec: { probes: [{ name: 'own' }], probeSets: ['web'] } } as unknown as Module
  expect(probesOfModule(configuration, policy, environment, { name: 'orders-api', repository: 'orders', limits: tenant }, config)).toEqual([
    { config: { name: 'own' }, owner: { name: 'orders-api', repository: 'orders', limits: tenant } },
    { config: expect.objectContaining({ name: 'web/up', config: { address: 'ingress', path: '/staging/eu' } }), owner: { name: 'orders-api', repository: 'platform', limits: 'everything' } },
  ])
})

test('an environment’s own probes and those of a change have the platform’s rights, and names that differ', () => {
  const { own, change } = probesOfEnvironment(configuration, policy, environment)
  expect([...own, ...change].map((one) => [one.config.name, one.owner.repository, one.owner.limits])).toEqual([['dns', 'platform', 'everything'], ['change/whole', 'platform', 'everything']])
})
