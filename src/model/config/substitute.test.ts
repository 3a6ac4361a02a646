import { expect, test } from 'vitest'
import { environmentSchema } from './environment.ts'
import { secretAllowed } from './limits.ts'
import { moduleSchema } from './module.ts'
import { sourcePath, withVariables } from './substitute.ts'
import { z } from 'zod'

const production = environmentSchema({}).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'production' }, spec: { tier: 'production', targets: {}, variables: { region: 'eu' } } })
const parse = (spec: object) =>
  moduleSchema({ http: z.record(z.string(), z.unknown()) }).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Module', metadata: { name: 'm' }, spec: { target: 't', ...spec } })

test('variables are substituted in source.path and in the strings of probes, and nowhere else', () => {
  const module = parse({
    source: { path: 'overlays/${region}/${environment}' },
    driver: 'kubernetes',
    probes: [{ name: 'a', http: { host: 'orders.${environment}.example', list: ['${region}', 1, null], deep: { sql: 'select $${environment}, $1' }, '${region}': true } }],
    secrets: [{ name: '${environment}', keys: { a: { secretRef: 'env:X' } } }],
  })
  const { spec } = withVariables(module, production)
  expect(spec.source.path).toBe('overlays/eu/production')
  expect(spec.probes[0]?.config).toEqual({ host: 'orders.production.example', list: ['eu', 1, null], deep: { sql: 'select ${environment}, $1' }, '${region}': true })
  expect(spec.secrets[0]?.name).toBe('${environment}')
  expect(module.spec.source.path).toBe('overlays/${region}/${environment}')
})

test.each([
  ['${enviroment}', 'Did you mean “environment”?'],
  ['a/${constructor}', expect.stringContaining('spec.variables')],
  ['${environment', 'Did you mean “environment”?'],
  ['${}', expect.stringContaining('spec.variables')],
])('%s is refused', (path, hint) => {
  expect(() => withVariables(parse({ source: { path } }), production)).toThrow(expect.objectContaining({ code: 'variable-unknown', hint }))
})

test('a source’s folder is relative to its file', () => {
  expect(sourcePath({ folder: 'deploy' }, parse({ source: { path: 'overlays/x/' } }))).toBe('deploy/overlays/x')
  expect(sourcePath({ folder: 'deploy' }, parse({}))).toBe('deploy')
  expect(sourcePath({ folder: '.' }, parse({}))).toBe('.')
  expect(sourcePath({ folder: '.' }, parse({ source: { path: '../x' } }))).toBe('../x')
})

test('a repository uses the secret references that it is allowed', () => {
  const limits = { environments: [], targets: [], namespaces: [], kinds: [], secrets: ['vault:kv/*/orders*'] }
  expect(secretAllowed('vault:kv/production/orders#url', limits)).toBe(true)
  expect(secretAllowed('vault:kv/production/payments#url', limits)).toBe(false)
  expect(secretAllowed('env:ANY', { ...limits, secrets: [] })).toBe(false)
  expect(secretAllowed('env:ANY', 'everything')).toBe(true)
})
