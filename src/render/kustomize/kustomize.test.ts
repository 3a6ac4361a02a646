import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import { memoryTree } from '#model/memory-tree.ts'
import type { MemoryFile } from '#model/memory-tree.ts'
import { memoryRenderCache } from '../cache.ts'
import { renderModule } from '../render.ts'
import { renderTools } from '../tools.ts'

const tempDir = mkdtempSync(join(tmpdir(), 'plumbline-render-test-'))
const tools = renderTools({ path: process.env['PATH'] ?? '', tempDir })
const tool = await tools.kustomize()
const never = new AbortController().signal
afterAll(() => rmSync(tempDir, { recursive: true, force: true }))

function render(files: Record<string, MemoryFile>, path = 'overlays/production', cache = memoryRenderCache(), plainSecrets = false) {
  return renderModule({ reader: memoryTree(files, 'orders'), path, spec: { empty: false, plainSecrets }, subject: 'module m', cache, tools, signal: never })
}
async function failure(files: Record<string, MemoryFile>, path?: string): Promise<Failure> {
  const error = await render(files, path).then(() => undefined, (thrown: unknown) => thrown)
  if (error instanceof Failure) return error
  throw new Error(`no Failure: ${String(error)}`)
}

const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api, labels: { a: "yes" } }\nspec: { replicas: 1 }\n'
const base: Record<string, MemoryFile> = {
  'base/kustomization.yaml': 'resources: [deployment.yaml]\nconfigMapGenerator:\n  - { name: settings, files: [settings.ini, "x=settings.ini"], envs: [settings.env], options: { disableNameSuffixHash: true } }\n',
  'base/deployment.yaml': `# the api\n${deployment}`,
  'base/settings.ini': 'a = 1\n',
  'base/settings.env': 'B=2\n',
}
const overlay: Record<string, MemoryFile> = {
  ...base,
  'overlays/production/kustomization.yaml': 'namespace: orders\nnamePrefix: p-\nresources: [../../base]\npatches: [{ path: replicas.yaml }]\ncomponents: [../../component]\n',
  'overlays/production/replicas.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { replicas: 3 }\n',
  'component/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - target: { kind: Deployment }\n    patch: |-\n      { apiVersion: apps/v1, kind: Deployment, metadata: { name: any, annotations: { component: here } } }\n',
}

describe.skipIf(tool === undefined)(`built by ${tool?.version ?? 'nothing: neither kustomize nor kubectl is on the PATH'}`, () => {
  test('bases, components, patches and generators, with the origin of each object', async () => {
    const { desired } = await render(overlay)
    expect(desired.map(({ key, origin }) => [key, `${origin.file}:${origin.line}`])).toEqual([
      ['apps/Deployment/orders/p-api', 'base/deployment.yaml:2'],
      ['core/ConfigMap/orders/p-settings', 'base/kustomization.yaml:1'],
    ])
    expect(desired[0]?.body).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'p-api', namespace: 'orders', labels: { a: 'yes' }, annotations: { component: 'here' } }, spec: { replicas: 3 } })
    expect(desired[1]?.body['data']).toEqual({ 'settings.ini': 'a = 1\n', x: 'a = 1\n', B: '2' })
  })

  test('annotations of origin stay where the kustomization asks for them', async () => {
    const { desired } = await render({ 'overlays/production/kustomization.yml': 'resources: [a.yaml]\nbuildMetadata: [originAnnotations]\n', 'overlays/production/a.yaml': deployment })
    expect(desired[0]?.body['metadata']).toMatchObject({ annotations: { 'config.kubernetes.io/origin': 'path: a.yaml\n' } })
  })

  test('a base behind a link, and configuration of built-in plugins', async () => {
    const { desired } = await render({
      ...base,
      'overlays/production/kustomization.yaml': 'resources: [linked]\ntransformers: [label.yaml]\n',
      'overlays/production/linked': { link: '../../base' },
      'overlays/production/label.yaml': 'apiVersion: builtin\nkind: LabelTransformer\nmetadata: { name: l }\nlabels: { team: orders }\nfieldSpecs: [{ path: metadata/labels, create: true }]\n',
    })
    expect(desired[0]?.body['metadata']).toMatchObject({ labels: { a: 'yes', team: 'orders' } })
    expect(desired[0]?.origin.file).toBe('base/deployment.yaml')
  })

  test('only what a build reads makes it anew: a base’s file does, its neighbour does not', async () => {
    const cache = memoryRenderCache()
    const first = await render(overlay, undefined, cache)
    expect(await render({ ...overlay, 'base/README.md': 'x', 'overlays/staging/kustomization.yaml': '' }, undefined, cache)).toMatchObject({ cached: true, key: first.key })
    const second = await render({ ...overlay, 'base/settings.ini': 'a = 2\n' }, undefined, cache)
    expect(second.cached).toBe(false)
    expect(second.desired[1]?.body['data']).toMatchObject({ x: 'a = 2\n' })
  })

  test('a generated secret is a secret in Git', async () => {
    const files: Record<string, MemoryFile> = { 'overlays/production/kustomization.yaml': 'secretGenerator: [{ name: s, literals: [password=canary-5b1] }]\n' }
    const found = await failure(files)
    expect(found).toMatchObject({ code: 'secret-in-git', subject: 'orders/overlays/production/kustomization.yaml:1' })
    expect(JSON.stringify(found)).not.toContain('canary')
    expect((await render(files, undefined, undefined, true)).desired).toHaveLength(1)
  })

  test('what kustomize refuses is told in its words, without the private tree', async () => {
    const found = await failure({ ...overlay, 'overlays/production/kustomization.yaml': 'resources: [../../base]\nnoSuchField: 1\n' })
    expect(found.code).toBe('kustomize-failed')
    expect(found.message).toContain('noSuchField')
    expect(JSON.stringify(found)).not.toContain(tempDir)
  })

  test('a circle of bases', async () => {
    const found = await failure({ 'overlays/production/kustomization.yaml': 'resources: [../staging]\n', 'overlays/staging/kustomization.yaml': 'resources: [../production]\n' })
    expect(found.code).toBe('kustomize-failed')
    expect(found.message).toContain('cycle')
  })

  test('a file outside the folder of its kustomization', async () => {
    const found = await failure({ ...base, 'overlays/production/kustomization.yaml': 'resources: [../../base]\nconfigMapGenerator: [{ name: a, files: [../../other/secret.txt] }]\n', 'other/secret.txt': 'x' })
    expect(found).toMatchObject({ code: 'kustomize-failed' })
    expect(found.message).toContain('not in or below')
  })

  test('nothing of a build is left behind, also where it failed', async () => {
    await render(overlay)
    await failure({ 'overlays/production/kustomization.yaml': 'noSuchField: 1\n' })
    expect(readdirSync(tempDir)).toEqual([])
  })

  test('a build that is cancelled ends, and leaves nothing', async () => {
    const rendering = renderModule({ reader: memoryTree(overlay), path: 'overlays/production', spec: { empty: false, plainSecrets: false }, subject: 'm', cache: memoryRenderCache(), tools, signal: AbortSignal.abort(new Error('enough')) })
    await expect(rendering).rejects.toThrow('enough')
    expect(readdirSync(tempDir)).toEqual([])
  })

  test('no field that names files is a way to the network', async () => {
    let asked = 0
    const server = createServer((_, response) => void response.end(String((asked += 1))))
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      for (const field of ['resources', 'crds', 'configurations', 'transformers', 'generators', 'components', 'bases', 'patchesStrategicMerge']) {
        expect((await failure({ 'overlays/production/kustomization.yaml': `${field}: ["http://127.0.0.1:${port}/x.yaml"]\n` })).code).toBe('kustomize-remote-base')
      }
      expect(asked).toBe(0)
    } finally {
      server.close()
    }
  })
})

describe('what is refused before anything runs', () => {
  const kustomization = (text: string, more: Record<string, MemoryFile> = {}): Record<string, MemoryFile> => ({ 'overlays/production/kustomization.yaml': text, ...more })

  test.each([
    ['https://github.com/org/repo//base?ref=v1'],
    ['github.com/org/repo/base'],
    ['git@github.com:org/repo.git'],
    ['git::https://host/repo'],
    ['ssh://git@host/repo'],
    ['../../base?ref=main'],
    ['HTTP://host/a.yaml'],
  ])('the remote base %s', async (written) => {
    expect(await failure(kustomization(`namePrefix: a-\nresources:\n  - ${JSON.stringify(written)}\n`))).toMatchObject({ code: 'kustomize-remote-base', subject: 'orders/overlays/production/kustomization.yaml:3:5' })
  })

  test.each<[string, string, Record<string, MemoryFile>, string, string]>([
    ['a base that is not there', 'namePrefix: a-\nresources:\n  - ../../base\n', {}, 'kustomize-base-missing', 'kustomization.yaml:3:5'],
    ['a base without a kustomization', 'resources: [../../base]\n', { 'base/a.yaml': deployment }, 'kustomize-base-missing', 'kustomization.yaml:1:13'],
    ['a patch that is not there', 'patches:\n  - target: { kind: A }\n    path: x.yaml\n', {}, 'kustomize-base-missing', 'kustomization.yaml:3:11'],
    ['a file of a generator that is not there', 'configMapGenerator:\n  - name: a\n    files: [k=x.ini]\n', {}, 'kustomize-base-missing', 'kustomization.yaml:3:13'],
    ['a base out of the repository', 'resources: [../../../other]\n', {}, 'path-outside-repository', 'kustomization.yaml:1:13'],
    ['a base at the root of the machine', 'resources: [/etc]\n', {}, 'kustomize-base-missing', 'kustomization.yaml:1:13'],
    ['a base that is a link out of the repository', 'resources: [base]\n', { 'overlays/production/base': { link: '/etc' } }, 'path-outside-repository', 'orders/overlays/production/base'],
    ['a file that is a link out of the repository', 'configMapGenerator: [{ name: a, files: [x] }]\n', { 'overlays/production/x': { link: '../../../../proc/self/environ' } }, 'path-outside-repository', 'orders/overlays/production/x'],
    ['a Helm chart', 'helmCharts: [{ name: x, repo: "https://x" }]\n', {}, 'kustomization-invalid', 'kustomization.yaml:1:'],
    ['a field in another case', 'Resources: ["https://host/x"]\n', {}, 'kustomization-invalid', 'kustomization.yaml:1:'],
    ['a field in letters that Go folds', 're\u017Fources: ["https://host/x"]\n', {}, 'kustomization-invalid', 'kustomization.yaml:1:'],
    ['a field in another case, deeper', 'patches: [{ Path: "https://host/x" }]\n', {}, 'kustomization-invalid', 'kustomization.yaml:1:'],
    ['an inline plugin', 'generators:\n  - |-\n    apiVersion: builtin\n    kind: ConfigMapGenerator\n', {}, 'kustomization-invalid', 'kustomization.yaml:3:1'],
    ['a plugin of its own', 'generators: [g.yaml]\n', { 'overlays/production/g.yaml': 'apiVersion: someteam/v1\nkind: ExecPlugin\nmetadata: { name: x, annotations: { config.kubernetes.io/function: "exec: { path: ./x.sh }" } }\n' }, 'kustomization-invalid', 'g.yaml:1:13'],
    ['a plugin that reads from afar', 'transformers: [t.yaml]\n', { 'overlays/production/t.yaml': 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: { name: x }\npath: "https://host/x"\n' }, 'kustomize-remote-base', 't.yaml:4:7'],
    ['a plugin with a list of paths', 'transformers: [t.yaml]\n', { 'overlays/production/t.yaml': 'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: { name: x }\npaths: ["https://host/x"]\n' }, 'kustomize-remote-base', 't.yaml:4:9'],
    ['a folder of plugins', 'generators: [plugins]\n', { 'overlays/production/plugins/kustomization.yaml': 'resources: [t.yaml]\n' }, 'kustomize-base-missing', 'kustomization.yaml:1:14'],
    ['a URL with a line’s end', 'patchesStrategicMerge: ["https://host/x\\n"]\n', {}, 'kustomize-remote-base', 'kustomization.yaml:1:25'],
    ['two kustomization files', 'resources: []\n', { 'overlays/production/Kustomization': 'resources: []\n' }, 'kustomization-invalid', 'orders/overlays/production'],
    ['two documents', 'resources: []\n---\nresources: []\n', {}, 'kustomization-invalid', 'kustomization.yaml:1:1'],
    ['a list', '- a\n', {}, 'kustomization-invalid', 'kustomization.yaml:1:1'],
    ['a submodule', 'resources: [../../base]\n', { base: { submodule: 'x' } }, 'submodule-refused', 'orders/base'],
    ['a resource with an alias bomb', 'resources: [a.yaml]\n', { 'overlays/production/a.yaml': Array.from({ length: 9 }, (_, level) => `l${level}: &l${level} [${Array(9).fill(level === 0 ? 'x' : `*l${level - 1}`).join(',')}]`).join('\n') }, 'yaml-aliases', 'a.yaml:'],
    ['seventy megabytes', 'configMapGenerator: [{ name: a, files: [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] }]\n', Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`overlays/production/a${index}`, Buffer.alloc(7 * 1024 * 1024, index)])), 'render-too-large', 'overlays/production/'],
  ])('%s', async (_, text, more, code, subject) => {
    const found = await failure(kustomization(text, more))
    expect({ code: found.code, subject: found.subject }).toEqual({ code, subject: expect.stringContaining(subject) })
  })
})
