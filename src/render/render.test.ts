import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import { memoryTree } from '#model/memory-tree.ts'
import type { MemoryFile } from '#model/memory-tree.ts'
import { memoryRenderCache } from './cache.ts'
import { renderModule } from './render.ts'
import { renderTools } from './tools.ts'

const noTools = () => renderTools({ path: '/nonexistent', tempDir: tmpdir() })
const never = new AbortController().signal
const spec = { empty: false, plainSecrets: false }
const config = (name: string, data = 'x') => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: orders }\ndata: { a: "${data}" }\n`
const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { password: canary-91f }\n'

type Options = { path?: string; spec?: Partial<typeof spec>; cache?: ReturnType<typeof memoryRenderCache>; tools?: ReturnType<typeof renderTools> }
function render(files: Record<string, MemoryFile>, { path = 'deploy', cache = memoryRenderCache(), tools = noTools(), ...more }: Options = {}) {
  return renderModule({ reader: memoryTree(files, 'orders'), path, spec: { ...spec, ...more.spec }, subject: 'module m', cache, tools, signal: never })
}
const keys = async (files: Record<string, MemoryFile>, options?: Options) => (await render(files, options)).desired.map((one) => one.key)
async function failure(files: Record<string, MemoryFile>, options?: Options): Promise<Failure> {
  const error = await render(files, options).then(() => undefined, (thrown: unknown) => thrown)
  if (error instanceof Failure) return error
  throw new Error(`no Failure: ${String(error)}`)
}

describe('a folder of manifests', () => {
  test('every YAML and JSON file in it, lists taken apart, sorted by key, with its origin', async () => {
    const { desired } = await render({
      'deploy/b.yaml': `# two\n\n${config('b')}---\napiVersion: v1\nkind: Namespace\nmetadata: { name: orders, creationTimestamp: null }\nstatus: {}\n`,
      'deploy/a.json': '{\n\t"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "orders"}}]\n}',
      'deploy/c.yml': 'apiVersion: apps/v1\nkind: DeploymentList\nitems:\n  - metadata: { name: web }\n',
      'deploy/sub/d.yaml': config('d'),
      'deploy/README.md': '# no manifest',
      'deploy/module.yaml': 'apiVersion: plumbline.dev/v1alpha1\nkind: Module\n',
    })
    expect(desired.map(({ key, origin }) => [key, `${origin.repository}/${origin.file}:${origin.line}`])).toEqual([
      ['apps/Deployment//web', 'orders/deploy/c.yml:1'],
      ['apps/Deployment/orders/api', 'orders/deploy/a.json:1'],
      ['core/ConfigMap/orders/b', 'orders/deploy/b.yaml:3'],
      ['core/Namespace//orders', 'orders/deploy/b.yaml:8'],
    ])
    expect(desired[3]?.body).toEqual({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'orders' } })
    expect(desired[0]?.body).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment' })
  })

  test('the rules of YAML 1.1: what Kubernetes would read', async () => {
    const { desired } = await render({ 'deploy/a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { hostNetwork: yes, mode: 0644 }\n' })
    expect(desired[0]?.body['spec']).toEqual({ hostNetwork: true, mode: 420 })
  })

  test('text that only looks like an escaped NUL is text', async () => {
    const { desired } = await render({ 'deploy/a.yaml': config('a', String.raw`\\u0000 \ud83d\ude00`) })
    expect(desired[0]?.body['data']).toEqual({ a: String.raw`\u0000 ` + '😀' })
  })

  test('the root of a repository', async () => {
    expect(await keys({ 'a.yaml': config('a'), 'x/b.yaml': config('b') }, { path: '.' })).toEqual(['core/ConfigMap/orders/a'])
  })

  test('links are followed inside the repository: to files, to folders, through folders', async () => {
    const files: Record<string, MemoryFile> = { 'shared/base/a.yaml': config('a'), deploy: { link: 'shared/base' }, 'other/a.yaml': { link: '../deploy/a.yaml' } }
    expect(await keys(files)).toEqual(['core/ConfigMap/orders/a'])
    const { desired } = await render(files, { path: 'other' })
    expect(desired[0]?.origin.file).toBe('shared/base/a.yaml')
  })
})

describe('what is refused', () => {
  test.each<[string, Record<string, MemoryFile>, string, string, string]>([
    ['no folder', { 'a.yaml': config('a') }, 'source-missing', 'module m', 'there is no folder orders/deploy'],
    ['a file', { deploy: config('a') }, 'source-missing', 'module m', 'is a file'],
    ['nothing in it', { 'deploy/README.md': '' }, 'render-empty', 'module m', 'renders to nothing'],
    ['an empty list', { 'deploy/a.yaml': 'apiVersion: v1\nkind: List\nitems: []\n' }, 'render-empty', 'module m', 'renders to nothing'],
    ['a folder that is a link out of the repository', { deploy: { link: '../other' } }, 'path-outside-repository', 'orders/deploy', 'the symbolic link deploy leaves'],
    ['a file that is a link to /etc', { 'deploy/a.yaml': { link: '/etc/passwd' } }, 'path-outside-repository', 'orders/deploy/a.yaml', 'leaves the repository'],
    ['a link that leaves in the middle', { 'deploy/a.yaml': { link: '../x/../../orders/x' } }, 'path-outside-repository', 'orders/deploy/a.yaml', 'leaves the repository'],
    ['links in a circle', { deploy: { link: 'b' }, b: { link: 'deploy' } }, 'link-loop', 'orders/deploy', 'symbolic links'],
    ['a submodule', { deploy: { submodule: 'abc' } }, 'submodule-refused', 'orders/deploy', 'submodule'],
    ['a path into a submodule', { 'deploy/a.yaml': { link: '../lib/a.yaml' }, lib: { submodule: 'abc' } }, 'submodule-refused', 'orders/lib', 'submodule'],
    ['a Helm chart', { 'deploy/Chart.yaml': '', 'deploy/templates/a.yaml': '{{ x }}' }, 'render-unsupported', 'orders/deploy/Chart.yaml', 'not rendered yet'],
    ['broken YAML', { 'deploy/a.yaml': 'a: {' }, 'yaml-invalid', 'orders/deploy/a.yaml:1:', 'not valid YAML'],
    ['no object', { 'deploy/a.yaml': '- a\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'expected a Kubernetes object'],
    ['no kind', { 'deploy/a.yaml': 'apiVersion: v1\nmetadata: { name: a }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'kind is missing'],
    ['a name that is a number', { 'deploy/a.yaml': 'apiVersion: v1\nkind: A\nmetadata: { name: 1 }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'quote it'],
    ['a name that is a path', { 'deploy/a.yaml': 'apiVersion: v1\nkind: A\nmetadata: { name: "../../nodes/x" }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'no API server takes'],
    ['a namespace that is a path', { 'deploy/a.yaml': 'apiVersion: v1\nkind: A\nmetadata: { name: a, namespace: a/../b }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'namespace'],
    ['a version that is a path', { 'deploy/a.yaml': 'apiVersion: v1/../../x\nkind: A\nmetadata: { name: a }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'apiVersion'],
    ['an annotation that YAML made a boolean', { 'deploy/a.yaml': 'apiVersion: v1\nkind: A\nmetadata: { name: a, annotations: { enabled: yes } }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'metadata.annotations.enabled is no text'],
    ['managed fields', { 'deploy/a.yaml': 'apiVersion: v1\nkind: A\nmetadata: { name: a, managedFields: [] }\n' }, 'object-invalid', 'orders/deploy/a.yaml:1', 'managedFields'],
    ['a NUL character', { 'deploy/a.yaml': config('a', String.raw`x\0`) }, 'object-invalid', 'orders/deploy/a.yaml:1', 'NUL'],
    ['half a character', { 'deploy/a.yaml': config('a', String.raw`\\\ud800`) }, 'object-invalid', 'orders/deploy/a.yaml:1', 'surrogate'],
    ['a generated name', { 'deploy/a.yaml': 'apiVersion: batch/v1\nkind: Job\nmetadata: { generateName: a- }\n' }, 'object-generate-name', 'orders/deploy/a.yaml:1', 'another object at every delivery'],
    ['a huge object', { 'deploy/a.yaml': config('a', 'x'.repeat(1_600_000)) }, 'object-too-large', 'orders/deploy/a.yaml:1', 'bytes'],
    ['one object twice', { 'deploy/a.yaml': config('a'), 'deploy/b.yaml': `\n${config('a', 'y')}` }, 'object-duplicate', 'orders/deploy/b.yaml:2', 'ConfigMap orders/a is also declared in deploy/a.yaml:1'],
    ['one object twice, by two versions', { 'deploy/a.yaml': 'apiVersion: a.b/v1\nkind: A\nmetadata: { name: a }\n---\napiVersion: a.b/v2\nkind: A\nmetadata: { name: a }\n' }, 'object-duplicate', 'orders/deploy/a.yaml:5', 'also declared'],
    ['a secret’s data', { 'deploy/a.yaml': secret }, 'secret-in-git', 'orders/deploy/a.yaml:1', 'Secret s has its data in Git'],
  ])('%s', async (_, files, code, subject, message) => {
    const found = await failure(files)
    expect({ code: found.code, subject: found.subject, message: found.message }).toEqual({ code, subject: expect.stringContaining(subject), message: expect.stringContaining(message) })
    expect(JSON.stringify(found)).not.toContain('canary')
  })

  test('a path that leaves the repository', async () => {
    expect((await failure({ 'a.yaml': config('a') }, { path: '../x' })).code).toBe('path-outside-repository')
    expect((await failure({ 'a.yaml': config('a') }, { path: '/etc' })).code).toBe('path-outside-repository')
  })

  test('all that is wrong is told at once', async () => {
    const found = await failure({ 'deploy/a.yaml': `${config('a')}---\n${config('a')}---\nkind: B\n` })
    expect((found.fields['problems'] as { code: string }[]).map((problem) => problem.code)).toEqual(['object-duplicate', 'object-invalid'])
  })

  test('unless the module means it: nothing at all, or secrets in Git', async () => {
    expect(await keys({ 'deploy/README.md': '' }, { spec: { empty: true } })).toEqual([])
    expect(await keys({ 'deploy/a.yaml': secret }, { spec: { plainSecrets: true } })).toEqual(['core/Secret//s'])
    expect(await keys({ 'deploy/a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ntype: Opaque\ndata: {}\n' })).toEqual(['core/Secret//s'])
  })

  test('a read that fails is thrown, and not taken for an empty folder', async () => {
    const broken = { ...memoryTree({ 'deploy/a.yaml': config('a') }), read: async () => Promise.reject(new Failure({ code: 'mirror-corrupt', subject: 'orders', message: 'gone' })) }
    const rendering = renderModule({ reader: broken, path: 'deploy', spec: { ...spec, empty: true }, subject: 'module m', cache: memoryRenderCache(), tools: noTools(), signal: never })
    await expect(rendering).rejects.toMatchObject({ code: 'mirror-corrupt' })
  })
})

describe('a rendering stands until something that it read is another', () => {
  const files: Record<string, MemoryFile> = { 'deploy/a.yaml': config('a'), 'deploy/sub/x.yaml': config('x'), 'elsewhere/b.yaml': config('b'), 'module.yaml': '' }

  test('a change elsewhere costs no read and no rendering', async () => {
    const cache = memoryRenderCache()
    const first = await render(files, { cache })
    const reader = memoryTree({ ...files, 'elsewhere/b.yaml': 'other', 'deploy/sub/x.yaml': 'other', 'new.yaml': '' }, 'orders')
    const second = await renderModule({ reader, path: 'deploy', spec, subject: 'module m', cache, tools: noTools(), signal: never })
    expect(second).toMatchObject({ cached: true, key: first.key, desired: first.desired })
    expect(reader.reads).toEqual([])
  })

  test.each<[string, Record<string, MemoryFile>]>([
    ['a file changed', { 'deploy/a.yaml': config('a', 'changed') }],
    ['a file came', { 'deploy/b.yaml': config('b') }],
    ['a kustomization came', { 'deploy/kustomization.yaml': 'resources: [a.yaml]' }],
    ['a file turned into a folder', { 'deploy/a.yaml/c.yaml': config('c') }],
  ])('%s', async (_, change) => {
    const cache = memoryRenderCache()
    const first = await render(files, { cache })
    const base = Object.fromEntries(Object.entries(files).filter(([path]) => !Object.keys(change).some((changed) => changed.startsWith(`${path}/`))))
    const outcome = await render({ ...base, ...change }, { cache, spec: { empty: true } }).then((second) => ({ cached: second.cached, key: second.key }), (error: Failure) => error.code)
    expect(outcome).not.toMatchObject({ cached: true })
    expect(outcome).not.toMatchObject({ key: first.key })
  })

  test('an older commit finds its own rendering again', async () => {
    const cache = memoryRenderCache()
    const first = await render(files, { cache })
    const changed = await render({ ...files, 'deploy/a.yaml': config('a', 'y') }, { cache })
    const again = await render(files, { cache })
    expect(changed.key).not.toBe(first.key)
    expect(again).toMatchObject({ cached: true, key: first.key, desired: first.desired })
  })

  test('one file after the other changes: what is parsed already counts as read too', async () => {
    const cache = memoryRenderCache()
    const tools = noTools()
    const two = { 'deploy/a.yaml': config('a', '1'), 'deploy/b.yaml': config('b', '1') }
    await render(two, { cache, tools })
    await render({ ...two, 'deploy/a.yaml': config('a', '2') }, { cache, tools })
    const { desired } = await render({ 'deploy/a.yaml': config('a', '2'), 'deploy/b.yaml': config('b', '2') }, { cache, tools })
    expect(desired.map((one) => one.body['data'])).toEqual([{ a: '2' }, { a: '2' }])
  })

  test('a link is followed anew', async () => {
    const linked: Record<string, MemoryFile> = { deploy: { link: 'v1' }, 'v1/a.yaml': config('one'), 'v2/a.yaml': config('two') }
    const cache = memoryRenderCache()
    await render(linked, { cache })
    expect(await keys({ ...linked, deploy: { link: 'v2' } }, { cache })).toEqual(['core/ConfigMap/orders/two'])
  })

  test('what is refused for one module is refused again from the cache', async () => {
    const cache = memoryRenderCache()
    const empty: Record<string, MemoryFile> = { 'deploy/README.md': '' }
    await render(empty, { cache, spec: { empty: true } })
    expect((await failure(empty, { cache })).code).toBe('render-empty')
  })

  test('the data of secrets never reaches the cache', async () => {
    const kept: string[] = []
    const cache = { get: async () => undefined, set: async (key: string, value: unknown) => void kept.push(key, JSON.stringify(value)) }
    await render({ 'deploy/a.yaml': `${secret}---\n${config('a')}` }, { cache, spec: { plainSecrets: true } })
    expect(kept.join('\n')).not.toContain('canary')
    await render({ 'deploy/a.yaml': config('a') }, { cache })
    expect(kept).toHaveLength(4)
  })

  test('a manifest that a thousand folders share is parsed once', async () => {
    const tools = noTools()
    const shared: Record<string, MemoryFile> = { 'base/a.yaml': config('a') }
    for (let index = 0; index < 50; index += 1) shared[`overlays/${index}/a.yaml`] = { link: '../../base/a.yaml' }
    const reader = memoryTree(shared, 'orders')
    for (let index = 0; index < 50; index += 1) {
      await renderModule({ reader, path: `overlays/${index}`, spec, subject: 'module m', cache: memoryRenderCache(), tools, signal: never })
    }
    expect(reader.reads.filter((path) => path === 'base/a.yaml')).toHaveLength(1)
  })
})

test('a kustomization needs a program, and says so where there is none', async () => {
  const found = await failure({ 'deploy/kustomization.yaml': 'resources: []\n' })
  expect(found).toMatchObject({ code: 'kustomize-not-found', retry: 'later' })
})
