import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import { memoryTree } from '#model/memory-tree.ts'
import type { MemoryFile } from '#model/memory-tree.ts'
import { loadConfiguration, parseCache } from './load.ts'

const probes = { http: z.strictObject({ address: z.string(), path: z.string().default('/') }), sql: z.strictObject({ target: z.string(), lag: z.strictObject({ primary: z.string() }).optional() }), dns: z.strictObject({ resolvers: z.array(z.string()) }) }
const document = (kind: string, name: string, spec: string) => `apiVersion: plumbline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const workspace = document('Workspace', 'shop', '{ repositories: { platform: { url: ., allow: everything }, orders: { url: ../orders.git } } }')
const environment = (name: string, more = '') => document('Environment', name, `{ tier: sandbox, addresses: { ingress: "http://x" }, targets: { cluster: { kubernetes: { context: a } } }${more} }`)
const module = (name: string, more = '') => document('Module', name, `{ target: cluster${more} }`)

const platform: Record<string, MemoryFile> = { 'plumbline.yaml': workspace, 'environments/sandbox.yaml': environment('sandbox'), 'environments/staging.yaml': environment('staging') }
const orders: Record<string, MemoryFile> = { 'api/module.yaml': module('orders-api'), 'module.yaml': module('orders-schema'), 'api/deployment.yaml': 'kind: Deployment' }
const load = (home = platform, tenant: Record<string, MemoryFile> = orders, cache = parseCache()) =>
  loadConfiguration({ platform: memoryTree(home, 'platform'), orders: memoryTree(tenant, 'orders') }, 'platform', probes, cache)

async function refusal(home: Record<string, MemoryFile>): Promise<{ subject: string; message: string }[]> {
  const error = await load(home).then(() => undefined, (thrown: unknown) => thrown)
  if (!(error instanceof Failure)) throw new Error(`not refused: ${String(error)}`)
  expect(error.code).toBe('configuration-invalid')
  return error.fields['problems'] as { subject: string; message: string }[]
}

test('the workspace, its environments and the modules of every repository are read from their trees', async () => {
  const loaded = await load()
  expect(loaded.workspace.metadata.name).toBe('shop')
  expect([...loaded.environments.keys()]).toEqual(['sandbox', 'staging'])
  expect([...loaded.modules.values()].map(({ config, ...where }) => ({ name: config.metadata.name, ...where }))).toEqual([
    { name: 'orders-api', repository: 'orders', file: 'api/module.yaml', folder: 'api' },
    { name: 'orders-schema', repository: 'orders', file: 'module.yaml', folder: '.' },
  ])
  expect(loaded.problems).toEqual([])
  expect(loaded.broken).toEqual([])
})

describe('operations', () => {
  const drill = (steps: string, more = '') => ({ ...platform, 'operations/drill.yaml': document('Operation', 'drill', `{ about: A drill., environments: [sandbox], steps: [${steps}]${more} }`) })
  const patch = (target: string) => `{ name: scale, patch: { target: ${target}, apiVersion: apps/v1, kind: Deployment, namespace: x, name: web, fields: { spec: { replicas: 0 } } } }`
  test('are read from the workspace’s own repository', async () => {
    const { operations } = await load(drill(`${patch('cluster')}, { name: wait, wait: { for: 10s } }`, ', schedule: "0 4 * * 1"'))
    expect(operations.get('drill')?.spec).toMatchObject({ schedule: '0 4 * * 1', steps: [{ name: 'scale', patch: { force: false } }, { name: 'wait', wait: { for: 10_000 } }] })
    expect((await load(platform, { ...orders, 'operations/module.yaml': document('Operation', 'mine', '{ about: x, environments: [sandbox], steps: [{ name: a, wait: { for: 1s } }] }') })).operations.size).toBe(0)
  })
  test.each([
    ['a step of no kind', '{ name: a }', 'expected exactly one of'],
    ['a step of two kinds', '{ name: a, wait: { for: 1s }, approval: { message: x } }', 'expected exactly one of'],
    ['two steps of one name', '{ name: a, wait: { for: 1s } }, { name: a, wait: { for: 1s } }', 'expected a name that no other has'],
    ['a target that there is not', patch('custer'), 'there is no target “custer” in environment sandbox'],
    ['a target of another sort', '{ name: a, sql: { target: cluster, statement: select 1 } }', 'cluster is a target of another sort'],
    ['a Secret that is written', '{ name: a, patch: { target: cluster, apiVersion: v1, kind: Secret, name: x, fields: { data: {} } } }', 'no operation writes Secrets'],
    ['a probe of an address that there is not', '{ name: a, probe: { name: p, http: { address: nowhere } } }', 'there is no address “nowhere”'],
    ['a variable that there is not', '{ name: a, approval: { message: "${nothing}" } }', 'no variable nothing is declared'],
  ])('%s is told', async (_, steps, message) => {
    expect((await refusal(drill(steps))).map((one) => one.message).join('\n')).toContain(message)
  })
  test('an environment or a schedule that is none is told', async () => {
    const text = document('Operation', 'drill', '{ about: x, environments: [sandbx], schedule: soon, steps: [{ name: a, wait: { for: 1s } }] }')
    expect((await refusal({ ...platform, 'operations/drill.yaml': text })).map((one) => one.message).join()).toContain('expected five fields of cron')
    expect((await refusal({ ...platform, 'operations/drill.yaml': text.replace('schedule: soon, ', '') })).map((one) => one.message).join()).toContain('there is no environment “sandbx”')
  })
})

test('the workspace’s own repository bears the name that the workspace gives it', async () => {
  const home = memoryTree({ ...platform, 'dns/module.yaml': module('dns') }, 'workspace')
  const loaded = await loadConfiguration({ workspace: home, orders: memoryTree(orders) }, 'workspace', probes)
  expect(loaded.modules.get('dns')?.repository).toBe('platform')
})

test('a file that did not change is not read again', async () => {
  const cache = parseCache()
  await load(platform, orders, cache)
  const tenant = memoryTree({ ...orders, 'api/module.yaml': module('orders-api', ', takeOver: true') }, 'orders')
  const home = memoryTree(platform, 'platform')
  await loadConfiguration({ platform: home, orders: tenant }, 'platform', probes, cache)
  expect(home.reads).toEqual([])
  expect(tenant.reads).toEqual(['api/module.yaml'])
})

describe('what is broken in one repository stops nothing else, and is not gone', () => {
  test('a module with a wrong field', async () => {
    const loaded = await load(platform, { ...orders, 'api/module.yaml': document('Module', 'orders-api', '{ tarjet: cluster }') })
    expect([...loaded.modules.keys()]).toEqual(['orders-schema'])
    expect(loaded.broken).toEqual([{ repository: 'orders', file: 'api/module.yaml', names: ['orders-api'] }])
    expect(loaded.problems).toMatchObject([{ code: 'configuration-invalid', subject: 'orders/api/module.yaml:4:9', fields: { repository: 'orders', file: 'api/module.yaml', line: 4, column: 9, path: 'spec.tarjet' } }])
  })

  test.each([
    ['that is no YAML', 'a: {', 'yaml-invalid'],
    ['that is an alias bomb', Array.from({ length: 9 }, (_, level) => `l${level}: &l${level} [${Array(9).fill(level === 0 ? 'x' : `*l${level - 1}`).join(',')}]`).join('\n'), 'yaml-aliases'],
    ['of 2 MB', `a: ${'x'.repeat(2 * 1024 * 1024)}`, 'yaml-too-large'],
    ['of 50 MB', Buffer.alloc(50 * 1024 * 1024, 97), 'file-too-large'],
    ['that is a symbolic link', { link: '../../etc/passwd' }, 'configuration-invalid'],
  ])('a file %s stands for any module', async (_, content, code) => {
    const loaded = await load(platform, { ...orders, 'api/module.yaml': content as MemoryFile })
    expect([...loaded.modules.keys()]).toEqual(['orders-schema'])
    expect(loaded.broken).toEqual([{ repository: 'orders', file: 'api/module.yaml' }])
    expect(loaded.problems).toMatchObject([{ code, fields: { repository: 'orders', file: 'api/module.yaml' } }])
  })

  test.each(['tree-too-large', 'path-outside-repository'])('a repository whose tree is refused (%s)', async (code) => {
    const refused = { ...memoryTree(orders), walk: async () => Promise.reject(new Failure({ code, subject: 'orders/', message: 'never' })) }
    const loaded = await loadConfiguration({ platform: memoryTree({ ...platform, 'dns/module.yaml': module('dns') }, 'platform'), orders: refused }, 'platform', probes)
    expect([...loaded.modules.keys()]).toEqual(['dns'])
    expect(loaded.broken).toMatchObject([{ repository: 'orders', failure: { code } }])
    expect(loaded.problems).toMatchObject([{ code, subject: 'orders/', fields: { repository: 'orders' } }])
  })

  test('a repository that was never read', async () => {
    const alone = await loadConfiguration({ platform: memoryTree(platform, 'platform') }, 'platform', probes)
    expect(alone.broken).toEqual([{ repository: 'orders' }])
    expect(alone.modules.size).toBe(0)
  })

  test('two modules of one name: neither; but what the platform declares, no limited repository can stop', async () => {
    const twice = await load(platform, { ...orders, 'x/module.yaml': module('orders-api') })
    expect([...twice.modules.keys()]).toEqual(['orders-schema'])
    expect(twice.broken).toEqual([
      { repository: 'orders', file: 'api/module.yaml', names: ['orders-api'] },
      { repository: 'orders', file: 'x/module.yaml', names: ['orders-api'] },
    ])
    expect(twice.problems.map(({ code, subject, message }) => [code, subject, message])).toEqual([
      ['module-duplicate', 'orders/api/module.yaml:3:19', 'module “orders-api” is also declared in orders/x/module.yaml:1'],
      ['module-duplicate', 'orders/x/module.yaml:3:19', 'module “orders-api” is also declared in orders/api/module.yaml:1'],
    ])
    const across = await load({ ...platform, 'x/module.yaml': module('orders-api') })
    expect(across.modules.get('orders-api')?.repository).toBe('platform')
    expect(across.broken).toEqual([{ repository: 'orders', file: 'api/module.yaml', names: ['orders-api'] }])
    expect(across.problems.map(({ code, subject }) => [code, subject])).toEqual([['module-duplicate', 'orders/api/module.yaml:3:19']])
  })

  test('modules in a circle are broken, each with its round; what depends on them is not', async () => {
    const loaded = await load(platform, {
      'a/module.yaml': module('a', ', dependsOn: [b]'),
      'b/module.yaml': module('b', ', dependsOn: [c, d]'),
      'c/module.yaml': module('c', ', dependsOn: [a]'),
      'd/module.yaml': module('d', ', dependsOn: [e]'),
      'e/module.yaml': module('e', ', dependsOn: [f]'),
      'f/module.yaml': module('f', ', dependsOn: [e, f]'),
      'g/module.yaml': module('g', ', dependsOn: [a]'),
    })
    expect([...loaded.modules.keys()].sort()).toEqual(['d', 'g'])
    expect(loaded.problems.map(({ code, subject, message }) => [code, subject.split(':')[0], message.split(': ')[1]])).toEqual([
      ['dependency-circle', 'orders/a/module.yaml', 'a -> b -> c -> a'],
      ['dependency-circle', 'orders/b/module.yaml', 'b -> c -> a -> b'],
      ['dependency-circle', 'orders/c/module.yaml', 'c -> a -> b -> c'],
      ['dependency-circle', 'orders/e/module.yaml', 'e -> f -> e'],
      ['dependency-circle', 'orders/f/module.yaml', 'f -> f'],
    ])
  })

  test('names that lead nowhere, with the nearest', async () => {
    const more = ', environments: [sandbox, stagign], dependsOn: [orders-shema, orders-api], source: { path: "${enviroment}" }, probes: [{ name: a, http: { address: ingres } }, { name: b, sql: { target: clutser } }]'
    const loaded = await load(platform, { ...orders, 'web/module.yaml': module('web', more), 'db/module.yaml': document('Module', 'db', '{ target: database }') })
    expect(loaded.problems.map(({ message, hint }) => [message, hint])).toEqual([
      ['spec.target: there is no target “database” in environment sandbox', 'Name one that there is, or add this one.'],
      ['spec.target: there is no target “database” in environment staging', 'Name one that there is, or add this one.'],
      ['spec.environments[1]: there is no environment “stagign”', 'Did you mean “staging”?'],
      ['spec.dependsOn[0]: there is no module “orders-shema”', 'Did you mean “orders-schema”?'],
      ['spec.source.path: no variable enviroment is declared; there are environment (environment sandbox)', 'Did you mean “environment”?'],
    ])
    const probing = await load(platform, { ...orders, 'web/module.yaml': module('web', more.replace('"${enviroment}"', 'x')) })
    expect(probing.problems.slice(2).map(({ message, hint }) => [message, hint])).toEqual([
      ['spec.probes[0].http.address: there is no address “ingres” in environment sandbox', 'Did you mean “ingress”?'],
      ['spec.probes[1].sql.target: there is no target “clutser” in environment sandbox', 'Did you mean “cluster”?'],
    ])
  })

  test('a probe that names several addresses, or a second target', async () => {
    const aims = ', environments: [sandbox], probes: [{ name: a, dns: { resolvers: [ingress, ingres] } }, { name: b, sql: { target: cluster, lag: { primary: clutser } } }]'
    const { problems } = await load(platform, { ...orders, 'web/module.yaml': module('web', aims) })
    expect(problems.map(({ message }) => message)).toEqual([
      'spec.probes[0].dns.resolvers[1]: there is no address “ingres” in environment sandbox',
      'spec.probes[1].sql.lag.primary: there is no target “clutser” in environment sandbox',
    ])
  })

  test('a dependency on a module that is broken is no second problem', async () => {
    const loaded = await load(platform, { ...orders, 'api/module.yaml': module('orders-api', ', dependsOn: [orders-schema]'), 'module.yaml': document('Module', 'orders-schema', '{}') })
    expect(loaded.problems).toHaveLength(1)
    expect([...loaded.modules.keys()]).toEqual(['orders-api'])
  })
})

describe('a workspace or environment that is broken refuses the whole', () => {
  test.each([
    ['no workspace document', { ...platform, 'plumbline.yaml': '' }, 'expected one Workspace document, found 0'],
    ['two', { ...platform, 'plumbline.yaml': `${workspace}---\n${workspace}` }, 'expected one Workspace document, found 2'],
    ['no repository of its own', { ...platform, 'plumbline.yaml': document('Workspace', 'w', '{ repositories: {} }') }, 'spec.repositories: expected one repository with the url “.”'],
    ['no environment', { 'plumbline.yaml': workspace }, 'there is no Environment document'],
    ['two environments of one name', { ...platform, 'environments/x.yaml': environment('staging') }, 'there are two environments named “staging”'],
    ['a broken environment', { ...platform, 'environments/x.yaml': environment('x', ', tiers: a') }, 'spec.tiers: unknown field'],
    ['an environment that is a link', { ...platform, 'environments/x.yaml': { link: 'staging.yaml' } }, 'symbolic link'],
    ['a module among the environments', { ...platform, 'environments/x.yaml': module('x') }, 'expected Environment'],
    ['an environment after one that is not there', { ...platform, 'environments/x.yaml': environment('x', ', deliver: { after: { environment: stagin } }') }, 'there is no environment “stagin”'],
    ['environments that wait for each other', { ...platform, 'environments/x.yaml': environment('x', ', deliver: { after: { environment: x } }') }, 'waits for itself'],
    ['reach to nothing', { ...platform, 'environments/x.yaml': environment('x', ', reach: [ingres]') }, 'there is no address or target “ingres”'],
    ['a variable that hides the environment', { ...platform, 'environments/x.yaml': environment('x', ', variables: { environment: y }') }, 'is the environment’s own name'],
  ] as [string, Record<string, MemoryFile>, string][])('%s', async (_, home, message) => {
    expect((await refusal(home))[0]?.message).toContain(message)
  })

  test('with every problem, each in its place', async () => {
    const found = await refusal({ ...platform, 'environments/sandbox.yaml': environment('sandbox', ', a: 1'), 'environments/staging.yaml': environment('staging', ', b: 1') })
    expect(found.map((problem) => problem.subject.replace(/:\d+$/, ''))).toEqual(['platform/environments/sandbox.yaml:4', 'platform/environments/staging.yaml:4'])
  })

  test.each(['entry', 'walk'] as const)('its own tree is refused (by its %s)', async (ask) => {
    const home = { ...memoryTree(platform, 'platform'), [ask]: async () => Promise.reject(new Failure({ code: 'path-outside-repository', subject: 'platform', message: 'an entry named ".."' })) }
    await expect(loadConfiguration({ platform: home }, 'platform', probes)).rejects.toMatchObject({ code: 'configuration-invalid', retry: 'never', fields: { problems: [{ code: 'path-outside-repository', fields: { repository: 'platform' } }] } })
  })

  test('no plumbline.yaml, or a repository that was not read yet', async () => {
    expect((await refusal({ 'a.yaml': '' }))[0]).toMatchObject({ code: 'workspace-missing', subject: 'platform/plumbline.yaml' })
    await expect(loadConfiguration({}, 'platform', probes)).rejects.toMatchObject({ retry: 'later' })
  })

  test('a repository that cannot be read throws what it threw: nothing is taken for gone', async () => {
    const tenant = { ...memoryTree(orders), read: async () => Promise.reject(new Failure({ code: 'mirror-corrupt', subject: 'orders', message: 'broken', retry: 'later' })) }
    await expect(loadConfiguration({ platform: memoryTree(platform), orders: tenant }, 'platform', probes)).rejects.toMatchObject({ code: 'mirror-corrupt' })
  })
})

describe('probe sets of the platform team', () => {
  const set = (name: string, probe: string): string => document('ProbeSet', name, `{ probes: [{ name: up, ${probe} }] }`)
  const withSets = { ...platform, 'probes/web.yaml': set('web', 'http: { address: ingress, path: "/${environment}" }') }
  const naming = (names: string): Record<string, MemoryFile> => ({ 'module.yaml': module('orders-api', `, probeSets: [${names}]`) })

  test('are read from where the workspace says, and named by modules', async () => {
    const loaded = await load(withSets, naming('web'))
    expect([...loaded.probeSets.keys()]).toEqual(['web'])
    expect(loaded.modules.get('orders-api')?.config.spec.probeSets).toEqual(['web'])
    expect(loaded.problems).toEqual([])
  })

  test('a module that names one that is not there is broken, and told what there is', async () => {
    const loaded = await load(withSets, naming('wbe'))
    expect(loaded.broken).toMatchObject([{ names: ['orders-api'] }])
    expect(loaded.problems).toMatchObject([{ message: 'spec.probeSets[0]: there is no probe set “wbe”', hint: 'Did you mean “web”?' }])
  })

  test('one that does not suit an environment is a problem of the module that brings it there', async () => {
    const lost = await load({ ...platform, 'probes/web.yaml': set('web', 'http: { address: nosuch }') }, naming('web'))
    expect(lost.problems.map(({ message }) => message)).toEqual(expect.arrayContaining(['spec.probeSets[0]: web: there is no address “nosuch” in environment sandbox']))
    const variable = await load({ ...platform, 'probes/web.yaml': set('web', 'http: { address: ingress, path: "${nosuch}" }') }, naming('web'))
    expect(variable.problems[0]?.message).toMatch(/^spec\.probeSets\[0\]: no variable nosuch is declared; .*probe set web in sandbox/)
  })

  test('a broken one, a second of its name, or another document in its place refuses the whole', async () => {
    expect(await refusal({ ...platform, 'probes/web.yaml': set('web', 'htp: {}') })).toMatchObject([{ subject: expect.stringMatching(/^platform\/probes\/web\.yaml:/) }, {}].slice(0, 1))
    expect(await refusal({ ...withSets, 'probes/two.yaml': set('web', 'http: { address: ingress }') })).toMatchObject([{ message: 'metadata.name: there are two probe sets named “web”' }, {}])
    expect(await refusal({ ...platform, 'probes/web.yaml': module('x') })).toMatchObject([{ message: 'kind: expected ProbeSet, found “Module”' }])
  })

  test('a tenant’s file holds none', async () => {
    expect((await load(platform, { ...orders, 'more/module.yaml': set('web', 'http: { address: ingress }') })).problems).toMatchObject([{ message: 'kind: expected Module, found “ProbeSet”' }])
  })
})

test('probes of an environment itself, and of a change of it, are held against what it has', async () => {
  const probed = (probes: string): Record<string, MemoryFile> => ({ ...platform, 'environments/staging.yaml': environment('staging', `, ${probes}`) })
  const loaded = await load(probed('variables: { at: ingress }, probes: [{ name: a, http: { address: ingress } }], changeProbes: [{ name: b, http: { address: "${at}" } }]'))
  expect(loaded.environments.get('staging')?.spec).toMatchObject({ probes: [{ name: 'a', kind: 'http' }], changeProbes: [{ name: 'b', config: { address: 'ingress' } }] })
  expect(await refusal(probed('changeProbes: [{ name: b, http: { address: nosuch } }]'))).toMatchObject([{ message: 'spec.changeProbes[0].http.address: there is no address “nosuch” in environment staging' }])
  expect(await refusal(probed('probes: [{ name: b, http: { address: "${nosuch}" } }]'))).toMatchObject([{ message: expect.stringContaining('no variable nosuch is declared') }])
})
