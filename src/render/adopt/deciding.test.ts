import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '#lib/json.ts'
import { memoryTree } from '#model/memory-tree.ts'
import { memoryRenderCache } from '../cache.ts'
import { renderTools } from '../tools.ts'
import { decidingPlace } from './deciding.ts'

const tempDir = mkdtempSync(join(tmpdir(), 'plumbline-deciding-test-'))
const tools = renderTools({ path: process.env['PATH'] ?? '', tempDir })
const tool = await tools.kustomize()
afterAll(() => rmSync(tempDir, { recursive: true, force: true }))
const cache = memoryRenderCache()

async function decided(files: Record<string, string>, path: string, live: Json | undefined): Promise<string> {
  const place = { module: 'm', environment: 'production', path: 'overlay', spec: { empty: false, plainSecrets: false } }
  const found = await decidingPlace({ reader: memoryTree(files), place, cache, tools, signal: new AbortController().signal }, { key: 'apps/Deployment//api', path, live })
  return found === undefined ? 'not told' : `${found.file}:${found.line}:${found.column}`
}

const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec:\n  replicas: 1\n  paused: false\n  template: { spec: { containers: [{ name: app, image: "shop/api:1.0" }] } }\n'
const patch = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec:\n  replicas: 1\n  minReadySeconds: 5\n'
const files = {
  'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
  'base/deployment.yaml': deployment,
  'overlay/kustomization.yaml': 'resources: [../base]\npatches: [{ path: patch.yaml }]\nimages:\n  - name: shop/api\n    newTag: "1.1"\n',
  'overlay/patch.yaml': patch,
}

describe.skipIf(tool === undefined)(`a field is decided, by ${tool?.version ?? 'nothing: neither kustomize nor kubectl is on the PATH'}`, () => {
  test.each<[string, string, Json | undefined, string]>([
    ['in the overlay’s patch, though the base says the same', 'spec.replicas', 4, 'overlay/patch.yaml:5:13'],
    ['in the overlay’s patch, also where it is gone', 'spec.minReadySeconds', undefined, 'overlay/patch.yaml:6:1'],
    ['in the overlay’s images', 'spec.template.spec.containers[name="app"].image', 'shop/api:2.0', 'overlay/kustomization.yaml:5:14'],
    ['in the base that nothing overlays', 'spec.paused', true, 'base/deployment.yaml:6:11'],
  ])('%s', async (_, path, live, expected) => {
    expect(await decided(files, path, live)).toBe(expected)
  })

  test('nowhere that can be told where nobody declares it, or no kustomization was read', async () => {
    expect(await decided(files, 'spec.strategy.type', 'Recreate')).toBe('not told')
    expect(await decided({ 'overlay/deployment.yaml': deployment }, 'spec.replicas', 4)).toBe('not told')
  })
})
