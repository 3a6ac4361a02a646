import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { git, openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { asItWas, expectRecordsVerify, headOf, inventory, problem } from './troubled-shop.ts'

type Files = Parameters<Shop['push']>[1]
type Story = { readonly what: string; readonly files: Files; readonly code: string; readonly subject: RegExp; readonly message: RegExp; readonly hint?: RegExp; readonly retried?: true }

const claim = (metadata: string, kind = 'ConfigMap'): string => `apiVersion: v1\nkind: ${kind}\nmetadata: { ${metadata} }\n`
const sandbox = 'deploy/sandbox'

const stories: readonly Story[] = [
  { what: 'broken YAML', files: { [`${sandbox}/extra.yaml`]: 'a: [1,\n  b: }' }, code: 'yaml-invalid', subject: /^orders\/deploy\/sandbox\/extra\.yaml:\d+:\d+$/, message: /./ },
  { what: 'a file of 50 MB', files: { [`${sandbox}/extra.yaml`]: `a: ${'x'.repeat(50_000_000)}\n` }, code: 'file-too-large', subject: /extra\.yaml/, message: /MiB|bytes|larger/ },
  { what: 'a Kustomize base that is missing', files: { [`${sandbox}/kustomization.yaml`]: 'resources: [../nowhere]\n' }, code: 'kustomize-base-missing', subject: /kustomization\.yaml/, message: /nowhere/ },
  { what: 'a driver that there is none of', files: { 'deploy/module.yaml': (text) => text.replace('driver: kubernetes', 'driver: kubernets') }, code: 'driver-unknown', subject: /^module orders-api$/, message: /kubernets/, hint: /kubernetes/ },
  {
    what: 'another team’s namespace, and a kind of the cluster itself',
    files: { [`${sandbox}/extra.yaml`]: `${claim('name: a, namespace: storefront')}---\n${claim('name: more', 'Namespace')}` },
    code: 'gate-refused', subject: /^limits$/, message: /kind Namespace is not listed.*orders may not touch ConfigMap storefront\/a: the namespace storefront is not listed/, hint: /plumbline\.yaml/,
  },
  { what: 'a secret that is not its own', files: { 'deploy/module.yaml': (text) => text.replace('  verifyEvery', '  secrets: [{ name: x, namespace: orders, keys: { a: { secretRef: "env:HOME#value" } } }]\n  verifyEvery') }, code: 'limits-secret', subject: /^module orders-api$/, message: /env:HOME#value/, hint: /allow\.secrets/ },
  { what: 'an object that another module holds', files: { [`${sandbox}/extra.yaml`]: 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: default-deny, namespace: orders }\nspec: { podSelector: {}, policyTypes: [Ingress] }\n' }, code: 'object-declared-twice', subject: /NetworkPolicy orders\/default-deny/, message: /baseline \(platform: .*network\.yaml:\d+\) and by orders-api \(orders: .*extra\.yaml:1\)/, hint: /one module/ },
  { what: 'a manifest that the server refuses', files: { [`${sandbox}/deployment.yaml`]: (text) => text.replace('containerPort: 8080', 'containerPort: 99999999') }, code: 'kubernetes-refused', subject: /Deployment orders\/orders-api/, message: /containerPort/ },
  { what: 'a field that its kind does not have', files: { [`${sandbox}/service.yaml`]: (text) => text.replace('targetPort: http', 'targetPort: http\n      colour: red') }, code: 'kubernetes-refused', subject: /Service orders\/orders-api/, message: /colour/ },
  { what: 'a field that never changes', files: { [`${sandbox}/deployment.yaml`]: (text) => text.replaceAll('app.kubernetes.io/name: orders-api', 'app.kubernetes.io/name: orders-apis') }, code: 'kubernetes-refused', subject: /Deployment orders\/orders-api/, message: /immutable/ },
  { what: 'an image that does not exist', files: { [`${sandbox}/deployment.yaml`]: (text) => text.replace(/image: .*/, 'image: registry.shop.example/orders/nothing:1'), 'deploy/module.yaml': (text) => text.replace('deadline: 2m', 'deadline: 4s') }, code: 'deadline-exceeded', subject: /^module orders-api$/, message: /ImagePullBackOff|ErrImagePull/, hint: /deadline/, retried: true },
]

describe('a module that is wrong stops itself alone', () => {
  let shop: Shop
  let before: string[]
  let first: string
  beforeAll(async () => {
    shop = await openShop({ environments: ['sandbox'] })
    await shop.delivered('sandbox')
    first = await headOf(shop, 'orders')
    before = await inventory(shop, 'sandbox')
  })
  afterAll(async () => {
    await shop?.stop()
  })

  let undo: Record<string, string | null> = {}
  /** A commit that mends what the last one broke, and breaks something else. */
  async function broken(files: Files): Promise<string> {
    const path = await shop.clone('orders')
    const firsts: Record<string, string | null> = {}
    const now: Record<string, string | null> = {}
    for (const [file, content] of Object.entries(files)) {
      const text = await git(path, 'show', `${first}:${file}`).catch(() => null)
      firsts[file] = text
      now[file] = typeof content === 'function' ? content(text ?? '') : content
    }
    const commit = await shop.push('orders', { ...undo, ...now }, 'Oops')
    undo = firsts
    return commit
  }

  async function failed(commit: string): Promise<ShowAnswer> {
    const run = await shop.until('the run has failed', async () => {
      const { runs } = await shop.client.runs({ environment: 'sandbox', module: 'orders-api' })
      return runs.find((one) => one.state === 'failed' && one.changes.some((change) => change.sha === commit))
    })
    expect(run.record).not.toBeNull()
    return run
  }

  test.each(stories)('$what', async ({ files, code, subject, message, hint, retried }) => {
    const commit = await broken(files)
    const run = await failed(commit)
    const failure = run.steps.find((step) => step.module === 'orders-api')?.failure ?? run.failure
    expect(failure).toMatchObject({ code, subject: expect.stringMatching(subject), message: expect.stringMatching(message) })
    if (hint !== undefined) expect(failure?.hint).toMatch(hint)
    const module = await shop.module('sandbox', 'orders-api')
    expect(module).toMatchObject({ failure: { code, retry: retried ? 'later' : 'never' }, note: expect.stringMatching(message) })
    if (!retried) expect(module?.delivery).toBe('failed')
    expect(await inventory(shop, 'sandbox')).toEqual(before)
  })

  test('a symbolic link that leaves the repository', async () => {
    symlinkSync('../../../../../etc/passwd', join(await shop.clone('orders'), sandbox, 'passwd.yaml'))
    const run = await failed(await broken({}))
    expect(run.steps.find((step) => step.module === 'orders-api')).toMatchObject({ delivery: 'failed', failure: { code: 'path-outside-repository', subject: expect.stringContaining('passwd.yaml') } })
  })

  test('what another module of the same run reaches for stops nobody else', async () => {
    await asItWas(shop, 'orders', first)
    await shop.delivered('sandbox')
    await shop.client.pause('sandbox', { module: null, reason: 'both in one run', forMs: 60_000 })
    const platform = await shop.push('platform', { 'baseline/sandbox/namespaces.yaml': (text) => text.replaceAll('baseline\n', 'baseline\n    shop.example/seen: "yes"\n') }, 'A label')
    expect(await shop.settled('sandbox', platform)).toMatchObject({ state: 'waiting' })
    await shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace(/message: .*/, 'message: all is well') }, 'A page', 'Bo Lind <bo@storefront.example>')
    const commit = await shop.push('orders', { [`${sandbox}/extra.yaml`]: claim('name: a, namespace: storefront') }, 'Oops')
    await shop.until('one run has it all', async () => {
      const { runs } = await shop.client.runs({ environment: 'sandbox' })
      return runs.find((one) => one.state === 'waiting' && [commit, platform].every((sha) => one.changes.some((change) => change.sha === sha)))
    })
    await shop.client.resume('sandbox', { module: null })
    const run = await failed(commit)
    expect(run.steps.map(({ module, delivery, verification, failure }) => [module, delivery, verification, failure?.code])).toEqual([
      ['baseline', 'delivered', 'passed', undefined],
      ['orders-api', 'failed', 'unknown', 'gate-refused'],
      ['storefront-web', 'delivered', 'passed', undefined],
    ])
    expect(await shop.kubectl('sandbox', 'get', 'configmap', 'storefront-page', '-n', 'storefront', '-o', 'yaml')).toContain('all is well')
    expect((await shop.client.status()).environments.find((one) => one.name === 'sandbox')?.modules.map(({ name, delivery }) => [name, delivery])).toEqual([['baseline', 'synced'], ['orders-api', 'failed'], ['storefront-web', 'synced']])
    expect(await inventory(shop, 'sandbox')).toEqual(before)
  })

  test('a name that a module of another repository has: the platform keeps its own', async () => {
    const copy = await git(await shop.clone('platform'), 'show', 'HEAD:baseline/module.yaml')
    await broken({ 'other/module.yaml': copy })
    expect(await problem(shop, 'module-duplicate', /^orders\/other\/module\.yaml:\d+/)).toMatchObject({ message: expect.stringContaining('platform/baseline/module.yaml'), hint: expect.stringContaining('rename') })
    expect((await shop.client.status()).problems.filter((one) => one.subject.startsWith('platform/'))).toEqual([])
    expect(await shop.module('sandbox', 'baseline')).toMatchObject({ delivery: 'synced', failure: null })
  })

  test('modules that depend on each other in a circle', async () => {
    const module = (name: string, other: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: ${name} }\nspec: { target: cluster, dependsOn: [${other}], environments: [sandbox] }\n`
    await broken({ 'a/module.yaml': module('left', 'right'), 'b/module.yaml': module('right', 'left') })
    const said = await problem(shop, 'dependency-circle', /^orders\/a\/module\.yaml:\d+/)
    expect(said).toMatchObject({ message: expect.stringContaining('left -> right -> left'), hint: expect.stringContaining('dependsOn') })
  })

  test('a commit mends it all, and it is delivered without anybody’s help', async () => {
    await asItWas(shop, 'orders', first)
    await shop.delivered('sandbox')
    expect(await inventory(shop, 'sandbox')).toEqual(before)
    await expectRecordsVerify(shop)
  })
})
