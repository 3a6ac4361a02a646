import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryTree } from '#model/memory-tree.ts'
import { memoryRenderCache } from '#render/cache.ts'
import { renderModule } from '#render/render.ts'
import { renderTools, type RenderTools } from '#render/tools.ts'

const plain = fileURLToPath(import.meta.resolve('#playground/example/repositories/storefront/deploy'))
const variant = fileURLToPath(new URL('../../examples/kustomize/storefront', import.meta.url))
const tempDir = mkdtempSync(join(tmpdir(), 'plumb-kustomize-'))
const tools: RenderTools = renderTools({ path: process.env['PATH'] ?? '', tempDir })
const kustomize = await tools.kustomize().catch(() => undefined)

describe.skipIf(kustomize === undefined)(`the Kustomize variant of the storefront (${kustomize?.version ?? 'skipped: neither kustomize nor a kubectl that has it'})`, () => {
  let trees: { plain: ReturnType<typeof memoryTree>; variant: ReturnType<typeof memoryTree> }
  beforeAll(() => {
    trees = { plain: memoryTree(filesOf(plain), 'plain'), variant: memoryTree(filesOf(variant), 'variant') }
  })
  afterAll(() => rmSync(tempDir, { recursive: true, force: true }))

  const render = async (reader: ReturnType<typeof memoryTree>, path: string) => {
    const { desired } = await renderModule({ reader, path, spec: { empty: false, plainSecrets: false }, subject: 'module storefront-web', cache: memoryRenderCache(), tools, signal: AbortSignal.timeout(20_000) })
    return desired.map(({ key, body }) => ({ key, body }))
  }

  test.each(['sandbox', 'staging', 'production'])('renders to what the plain folder of %s holds', async (environment) => {
    const expected = await render(trees.plain, environment)
    expect(expected.map(({ key }) => key).length).toBe(4)
    expect(await render(trees.variant, `overlays/${environment}`)).toEqual(expected)
  })
})

test('the variant’s module is the plain one’s, but for where its manifests are', () => {
  const text = (folder: string): string => readFileSync(join(folder, 'module.yaml'), 'utf8')
  expect(text(variant)).toBe(text(plain).replace('path: ${environment}', 'path: overlays/${environment}'))
})

function filesOf(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(files.map((path) => [relative(root, path), readFileSync(path, 'utf8')]))
}
