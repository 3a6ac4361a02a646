import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '#lib/json.ts'
import { memoryTree } from '#model/memory-tree.ts'
import { memoryRenderCache } from '../cache.ts'
import { renderTools } from '../tools.ts'
import { searchAdoption } from './adopt.ts'
import type { Answer, Place, Wish } from './wish.ts'

const tempDir = mkdtempSync(join(tmpdir(), 'plumbline-adopt-test-'))
const tools = renderTools({ path: process.env['PATH'] ?? '', tempDir })
const tool = await tools.kustomize()
afterAll(() => rmSync(tempDir, { recursive: true, force: true }))

/** As in the control plane: what is delivered was rendered before. */
const cache = memoryRenderCache()
const place = (environment: string, path: string): Place => ({ module: 'm', environment, path, spec: { empty: false, plainSecrets: false } })
const overlays = ['production', 'staging'].map((name) => place(name, `overlays/${name}`))

async function adopt(files: Record<string, string>, wish: Wish, places = overlays): Promise<Answer> {
  const [first, ...others] = places
  const reader = memoryTree(files)
  return searchAdoption({ reader, place: first!, others, wish, cache, tools, signal: new AbortController().signal })
}
const key = 'apps/Deployment//api'
const fields = (values: Record<string, Json | undefined>, of = key): Wish => ({ kind: 'fields', key: of, fields: Object.entries(values).map(([path, live]) => ({ path, ...(live === undefined ? {} : { live }) })) })

/** Where each edit is, and what it makes of what: `file:line:column before -> after`. */
function told(answer: Answer): string[] | string {
  if (answer.outcome === 'refused') return answer.failure.code
  if (answer.outcome === 'already') return 'already'
  return answer.proposal.edits.map(({ file, line, column, before, after }) => `${file}:${line}:${column} ${before} -> ${after}`)
}

const deployment = `# the api
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 1   # one is enough
  template:
    spec:
      containers:
        - name: app
          image: shop/api:1.0.0
          args: ["--fast", "--port=80"]
          env:
            - name: LEVEL
              value: "1"
            - name: MODE
              value: slow
        - name: proxy
          image: "proxy:2"
`
const base = { 'base/kustomization.yaml': 'resources: [deployment.yaml]\n', 'base/deployment.yaml': deployment }
const container = 'spec.template.spec.containers[name="app"]'

describe('plain manifests', () => {
  const places = ['production', 'staging'].map((name) => place(name, name))
  const files = { 'production/deployment.yaml': deployment, 'staging/deployment.yaml': deployment }

  test('the scalar itself, and no other byte', async () => {
    const answer = await adopt(files, fields({ 'spec.replicas': 3, [`${container}.env[name="LEVEL"].value`]: '2' }), places)
    expect(told(answer)).toEqual(['production/deployment.yaml:7:13 1 -> 3', 'production/deployment.yaml:16:23 1 -> 2'])
    const bytes = answer.outcome === 'proposed' ? answer.proposal.files.get('production/deployment.yaml') : undefined
    expect(bytes?.toString()).toBe(deployment.replace('replicas: 1 ', 'replicas: 3 ').replace('"1"', '"2"'))
  })
  test('an item of an atomic list, a field that went, and an item with all its fields', async () => {
    expect(told(await adopt(files, fields({ [`${container}.args`]: ['--fast', '--port=81'] }), places))).toEqual(['production/deployment.yaml:13:36 80 -> 81'])
    expect(told(await adopt(files, fields({ 'spec.replicas': undefined }), places))).toEqual(['production/deployment.yaml:7:1   replicas: 1   # one is enough -> '])
    const item = `${container}.env[name="LEVEL"]`
    expect(told(await adopt(files, fields({ [`${item}.name`]: undefined, [`${item}.value`]: undefined }), places))).toEqual(['production/deployment.yaml:15:1             - name: LEVEL\n              value: "1" -> '])
  })
  test('a folder that two environments share is refused', async () => {
    expect(told(await adopt({ 'all/deployment.yaml': deployment }, fields({ 'spec.replicas': 3 }), ['a', 'b'].map((name) => place(name, 'all'))))).toBe('adopt-no-place')
  })
  test('what is not among the likeliest is given up, and says so', async () => {
    const many = Array.from({ length: 30 }, (_, index) => deployment.replace('name: api', `name: api-${index}`)).join('---\n')
    const answer = await adopt({ 'all/many.yaml': many, 'all/api.yaml': deployment }, fields({ 'spec.replicas': 3 }), ['a', 'b'].map((name) => place(name, 'all')))
    expect(answer).toMatchObject({ outcome: 'refused', failure: { code: 'adopt-no-place', message: expect.stringMatching(/changes nothing else; it was given up after 24 tries$/) as never } })
  })
  test('an object that is gone: its document, its file, or its item in a list', async () => {
    const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\n'
    const gone: Wish = { kind: 'gone', key: 'core/Service//web' }
    expect(told(await adopt({ 'a/all.yaml': `${deployment}---\n${service}` }, gone, [place('a', 'a')]))).toEqual([`a/all.yaml:21:1 ---\n${service.trimEnd()} -> `])
    expect(told(await adopt({ 'a/d.yaml': deployment, 'a/s.yaml': service }, gone, [place('a', 'a')]))).toEqual([`a/s.yaml:1:1 ${service.trimEnd()} -> `])
    const list = 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: web}}\n- {apiVersion: v1, kind: Service, metadata: {name: b}}\n'
    expect(told(await adopt({ 'a/l.yaml': list }, gone, [place('a', 'a')]))).toEqual(['a/l.yaml:4:1 - {apiVersion: v1, kind: Service, metadata: {name: web}} -> '])
  })
  test('a module’s last object does not go by itself', async () => {
    expect(told(await adopt({ 'a/d.yaml': deployment }, { kind: 'gone', key }, [place('a', 'a')]))).toBe('adopt-no-place')
  })
  test('what Git says already, what it does not declare, and what is secret', async () => {
    expect(told(await adopt(files, fields({ 'spec.replicas': 1 }), places))).toBe('already')
    expect(told(await adopt(files, fields({ 'spec.replicas': 1 }, 'apps/Deployment//other'), places))).toBe('adopt-not-declared')
    expect(told(await adopt(files, fields({ 'spec.paused': true }), places))).toBe('adopt-not-declared')
    const delivered = (was: Json): Wish => ({ kind: 'fields', key, fields: [{ path: 'spec.replicas', live: 3, was }] })
    expect(told(await adopt(files, delivered(1), places))).toHaveLength(1)
    expect(told(await adopt(files, delivered(2), places))).toBe('adopt-moved')
    const secret = { 'a/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { a: b }\n' }
    const open = [{ ...place('a', 'a'), spec: { empty: false, plainSecrets: true } }]
    expect(told(await adopt(secret, fields({ 'stringData.a': 'canary' }, 'core/Secret//s'), open))).toBe('adopt-secret')
  })
  test('a place that does not render is named, and holds nobody up', async () => {
    const answer = await adopt({ 'a/d.yaml': deployment, 'b/d.yaml': 'kind: [' }, fields({ 'spec.replicas': 2 }), [place('a', 'a'), place('b', 'b')])
    expect(answer).toMatchObject({ outcome: 'proposed', proposal: { unproven: ['module m in b'] } })
    expect(await adopt({ 'a/d.yaml': 'kind: [' }, fields({ 'spec.replicas': 2 }), [place('a', 'a')])).toMatchObject({ outcome: 'refused', failure: { code: 'yaml-invalid' } })
  })
})

describe.skipIf(tool === undefined)(`kustomizations, by ${tool?.version ?? 'nothing: neither kustomize nor kubectl is on the PATH'}`, () => {
  const overlay = (text: string, more: Record<string, string> = {}) => ({ ...base, 'overlays/staging/kustomization.yaml': 'resources: [../../base]\n', 'overlays/production/kustomization.yaml': `resources: [../../base]\n${text}`, ...more })
  const at = 'overlays/production'

  test.each<[string, Record<string, string>, Wish, string[]]>([
    ['a strategic merge patch', overlay('patches: [{ path: p.yaml }]\n', { [`${at}/p.yaml`]: 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { replicas: 3 }\n' }), fields({ 'spec.replicas': 5 }), [`${at}/p.yaml:4:19 3 -> 5`]],
    ['a patch that is written in the kustomization', overlay('patches:\n  - target: { kind: Deployment }\n    patch: |-\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: { name: any }\n      spec:\n        replicas: 3 # three\n'), fields({ 'spec.replicas': 5 }), [`${at}/kustomization.yaml:9:19 3 -> 5`]],
    ['a JSON patch', overlay('patches:\n  - target: { kind: Deployment }\n    path: p.json\n', { [`${at}/p.json`]: '[\n  {"op": "replace", "path": "/spec/template/spec/containers/0/env/1/value", "value": "fast"}\n]\n' }), fields({ [`${container}.env[name="MODE"].value`]: 'no' }), [`${at}/p.json:2:87 fast -> no`]],
    ['images', overlay('images:\n  - name: shop/api\n    newTag: "1.1"\n'), fields({ [`${container}.image`]: 'shop/api:1.2' }), [`${at}/kustomization.yaml:4:14 1.1 -> 1.2`]],
    ['a digest in place of a tag', overlay('images:\n  - { name: shop/api, newTag: v1 }\n'), fields({ [`${container}.image`]: 'shop/api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' }), [`${at}/kustomization.yaml:3:23 newTag: v1 -> digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`]],
    ['replicas', overlay('replicas: [{ name: api, count: 2 }]\n'), fields({ 'spec.replicas': 4 }), [`${at}/kustomization.yaml:2:32 2 -> 4`]],
    ['a label of the kustomization', overlay('labels:\n  - pairs: { tier: gold }\n'), fields({ 'metadata.labels.tier': 'silver' }), [`${at}/kustomization.yaml:3:20 gold -> silver`]],
    ['a component', overlay('components: [../../component]\n', { 'component/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{ path: p.yaml }]\n', 'component/p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { paused: true }\n' }), fields({ 'spec.paused': false }), ['component/p.yaml:4:17 true -> false']],
    ['the base, where the others do not show it', { ...overlay('namePrefix: p-\n'), 'overlays/staging/kustomization.yaml': 'resources: [../../base]\npatches: [{ patch: \'{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": {"replicas": 9}}\' }]\n' }, fields({ 'spec.replicas': 4 }, 'apps/Deployment//p-api'), ['base/deployment.yaml:7:13 1 -> 4']],
  ])('%s', async (_, files, wish, expected) => {
    expect(told(await adopt(files, wish))).toEqual(expected)
  })

  test('what the base decides for all is patched here: in a patch that is there, or in a new one', async () => {
    const patch = { [`${at}/p.yaml`]: 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  paused: true\n' }
    expect(told(await adopt(overlay('patches: [{ path: p.yaml }]\n', patch), fields({ 'spec.replicas': 3 })))).toEqual([`${at}/p.yaml:7:1  ->   replicas: 3`])
    const answer = await adopt(overlay(''), fields({ 'spec.replicas': 3, [`${container}.env[name="LEVEL"].value`]: '0644' }))
    expect(told(answer)).toMatchObject([expect.stringContaining('deployment-api-patch.yaml:1:1'), `${at}/kustomization.yaml:2:1  -> patches:\n  - path: deployment-api-patch.yaml`])
    const file = answer.outcome === 'proposed' ? answer.proposal.files.get(`${at}/deployment-api-patch.yaml`)?.toString() : ''
    expect(file).toBe('apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n        - name: app\n          env:\n            - name: LEVEL\n              value: "0644"\n')
  })

  test('a wide base, in which much looks alike, does not use up the tries that a new patch needs', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `other-${at}`)
    const wide = {
      ...overlay(''), 'base/kustomization.yaml': `resources: [${names.map((name) => `${name}.yaml`).join(', ')}, deployment.yaml]\n`,
      ...Object.fromEntries(names.map((name) => [`base/${name}.yaml`, `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name} }\nspec: { replicas: 1 }\n`])),
    }
    expect(told(await adopt(wide, fields({ 'spec.replicas': 3 })))).toMatchObject([expect.stringContaining(`${at}/deployment-api-patch.yaml`), expect.any(String)])
    // Where nobody else shows it, the one of that name comes first.
    expect(told(await adopt(wide, fields({ 'spec.replicas': 3 }), [place('production', at)]))).toEqual(['base/deployment.yaml:7:13 1 -> 3'])
  })

  test('an image that the base decides gets an entry of images', async () => {
    expect(told(await adopt(overlay(''), fields({ [`${container}.image`]: 'shop/api:1.2' })))).toEqual([`${at}/kustomization.yaml:2:1  -> images:\n  - name: shop/api\n    newTag: "1.2"`])
  })

  test('a list without keys is patched by its place, and the place is held to what it is', async () => {
    const custom = { ...overlay(''), 'base/deployment.yaml': 'apiVersion: shop.example/v1\nkind: Queue\nmetadata: { name: q }\nspec: { lanes: [{ name: a, size: 1 }, { name: b, size: 2 }] }\n' }
    const answer = await adopt(custom, fields({ 'spec.lanes[name="b"].size': 3 }, 'shop.example/Queue//q'))
    const bytes = answer.outcome === 'proposed' ? answer.proposal.files.get(`${at}/kustomization.yaml`)?.toString() : JSON.stringify(answer)
    expect(bytes).toBe('resources: [../../base]\npatches:\n  - target:\n      group: shop.example\n      version: v1\n      kind: Queue\n      name: q\n    patch: |\n      - op: test\n        path: /spec/lanes/1/name\n        value: b\n      - op: replace\n        path: /spec/lanes/1/size\n        value: 3\n')
  })

  test('fields and items that went, and objects', async () => {
    const patched = async (wish: Wish) => {
      const answer = await adopt(overlay('namespace: shop\n'), wish)
      return answer.outcome === 'proposed' ? [...answer.proposal.files].filter(([file]) => file.includes('patch')).map(([, bytes]) => bytes?.toString()) : told(answer)
    }
    expect(await patched(fields({ 'spec.replicas': undefined }, 'apps/Deployment/shop/api'))).toEqual(['apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: null\n'])
    const item = `${container}.env[name="LEVEL"]`
    expect(await patched(fields({ [`${item}.name`]: undefined, [`${item}.value`]: undefined }, 'apps/Deployment/shop/api'))).toEqual([expect.stringContaining('- name: LEVEL\n              $patch: delete\n')])
    const files = { ...overlay(''), 'base/kustomization.yaml': 'resources: [deployment.yaml, service.yaml]\n', 'base/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\n' }
    const answer = await adopt(files, { kind: 'gone', key: 'core/Service//web' })
    expect(answer.outcome === 'proposed' ? answer.proposal.files.get(`${at}/service-web-patch.yaml`)?.toString() : told(answer)).toContain('$patch: delete')
    const own = { ...files, [`${at}/kustomization.yaml`]: 'resources:\n  - ../../base\n  - mine.yaml # mine\n', [`${at}/mine.yaml`]: 'apiVersion: v1\nkind: Service\nmetadata: { name: mine }\n' }
    expect(told(await adopt(own, { kind: 'gone', key: 'core/Service//mine' }))).toEqual([`${at}/kustomization.yaml:3:1   - mine.yaml # mine -> `, expect.stringContaining(`${at}/mine.yaml:1:1`)])
  })

  describe('generators', () => {
    const generated = (overlayText: string, more: Record<string, string> = {}) => ({
      ...base, 'base/kustomization.yaml': 'resources: [deployment.yaml]\nconfigMapGenerator:\n  - name: settings\n    literals: [LEVEL=1, "MODE=a b"]\n    files: [x.ini]\n    envs: [x.env]\n', 'base/x.ini': 'a = 1\n', 'base/x.env': '# B\nB=2\nC=3\n',
      'overlays/staging/kustomization.yaml': 'resources: [../../base]\n', [`${at}/kustomization.yaml`]: `resources: [../../base]\n${overlayText}`, ...more,
    })
    const only = [place('production', at)]
    const hashed = async (files: Record<string, string>): Promise<string> => {
      const { renderModule } = await import('../render.ts')
      const { desired } = await renderModule({ reader: memoryTree(files), path: at, spec: only[0]!.spec, subject: 'm', cache: memoryRenderCache(), tools, signal: new AbortController().signal })
      return desired.find((one) => one.key.includes('ConfigMap'))!.key
    }
    test.each<[string, string, Json | undefined, string[]]>([
      ['a literal', 'data.LEVEL', '2', ['base/kustomization.yaml:4:22 1 -> 2']],
      ['a literal in quotes', 'data.MODE', 'c: d', ['base/kustomization.yaml:4:31 a b -> c: d']],
      ['a file', 'data["x.ini"]', 'a = 2\n', ['base/x.ini:1:5 1 -> 2']],
      ['a variable', 'data.B', '5', ['base/x.env:2:3 2 -> 5']],
      ['a literal that went', 'data.LEVEL', undefined, ['base/kustomization.yaml:4:16 LEVEL=1, "MODE=a b" -> "MODE=a b"']],
    ])('%s', async (_, path, live, expected) => {
      const files = generated('')
      const answer = await adopt(files, fields({ [path]: live }, await hashed(files)), only)
      if (live === undefined) expect(told(answer)).toEqual([expect.stringContaining('base/kustomization.yaml:4:')])
      else expect(told(answer)).toEqual(expected)
      expect(answer).toMatchObject({ proposal: { renamed: [{ from: await hashed(files) }] } })
    })
    test('what the base generates for all is merged over here', async () => {
      const files = generated('')
      expect(told(await adopt(files, fields({ 'data.LEVEL': '7' }, await hashed(files))))).toEqual([`${at}/kustomization.yaml:2:1  -> configMapGenerator:\n  - name: settings\n    behavior: merge\n    literals:\n      - LEVEL=7`])
      const merged = generated('configMapGenerator:\n- name: settings\n  behavior: merge\n  literals:\n  - MODE=b\n')
      expect(told(await adopt(merged, fields({ 'data.LEVEL': '7' }, await hashed(merged))))).toEqual([`${at}/kustomization.yaml:7:1  ->   - LEVEL=7`])
    })
  })
})
