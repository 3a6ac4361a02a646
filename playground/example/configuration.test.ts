import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadConfiguration } from '#model/config/load.ts'
import { memoryTree } from '#model/memory-tree.ts'
import { probeSchemas } from '#probes/registry.ts'

const root = fileURLToPath(import.meta.resolve('./repositories'))
const filesOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(root, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(join(root, name), path), readFileSync(path, 'utf8').replaceAll(/\$\{playground\.audit\.\w+\}/g, '/audit.log').replaceAll(/\$\{playground\.[\w.]+\}/g, 'http://127.0.0.1:1')]),
  )

test('the example’s configuration is whole, as the control plane reads it', async () => {
  const readers = Object.fromEntries(['platform', 'orders', 'storefront'].map((name) => [name, memoryTree(filesOf(name), name)]))
  const loaded = await loadConfiguration(readers, 'platform', probeSchemas)
  expect(loaded.problems).toEqual([])
  expect([...loaded.environments.keys()].sort()).toEqual(['production', 'sandbox', 'staging'])
  expect([...loaded.modules.keys()].sort()).toEqual(['baseline', 'orders-api', 'orders-database', 'storefront-web'])
  expect(loaded.environments.get('production')?.spec).toMatchObject({ deliver: { automatic: true, after: { environment: 'staging' } }, review: { approvals: 1, notTheAuthor: true } })
  for (const { config, folder, repository } of loaded.modules.values()) {
    for (const environment of config.spec.environments ?? loaded.environments.keys()) {
      const path = join(folder, config.spec.source.path.replaceAll('${environment}', environment))
      expect(readdirSync(join(root, repository, path)).length).toBeGreaterThan(0)
    }
  }
})
