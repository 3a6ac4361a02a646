import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const execute = promisify(execFile)

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ environments: ['sandbox'] })
  await shop.delivered('sandbox')
})
afterAll(() => shop.stop())

/** As a person who reviewed it would: the branch becomes part of what is followed. */
async function merge(repository: string, branch: string): Promise<string> {
  const path = await shop.clone(repository)
  const git = (...args: string[]) => execute('git', ['-C', path, '-c', 'user.name=Ada', '-c', 'user.email=ada@orders.example', ...args])
  await git('merge', '-q', '--no-ff', '-m', `Merge ${branch}`, `origin/${branch}`)
  await git('push', '-q', 'origin', 'HEAD:main')
  return (await git('rev-parse', 'HEAD')).stdout.trim()
}

test('a project that began by hand graduates: imported, merged, delivered, and nothing changed', async () => {
  await shop.kubectl('sandbox', 'create', 'namespace', 'by-hand')
  await shop.kubectl('sandbox', '-n', 'by-hand', 'create', 'configmap', 'settings', '--from-literal=LEVEL=yes')
  await shop.kubectl('sandbox', '-n', 'by-hand', 'create', 'secret', 'generic', 'db', '--from-literal=password=canary-9c1')
  await shop.kubectl('sandbox', '-n', 'by-hand', 'create', 'service', 'clusterip', 'web', '--tcp=80:8080')
  const versions = () => shop.kubectl('sandbox', '-n', 'by-hand', 'get', 'configmap,service', '-o', 'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.metadata.generation} {.data} {.spec}{"\\n"}{end}')
  const before = await versions()
  const robin = await shop.person('robin', 'operator', ['robin@shop.example'])
  const proposed = await robin.proposeImport('sandbox', { namespace: 'by-hand', repository: 'platform', reason: 'it grew' })
  expect(proposed).toMatchObject({ branch: 'plumbline/import-by-hand', pullRequest: null, left: [{ object: 'Secret by-hand/db' }] })
  expect(await robin.proposeImport('sandbox', { namespace: 'by-hand', repository: 'platform', reason: 'again' })).toMatchObject({ commit: proposed.commit })
  const commit = await merge('platform', proposed.branch)
  expect(JSON.stringify(await shop.client.import('sandbox', { namespace: 'by-hand' }))).not.toContain('canary-9c1')
  const run = await shop.settled('sandbox', commit)
  expect(run).toMatchObject({ state: 'succeeded' })
  const effects = run.steps.find(({ module }) => module === 'by-hand')?.effects ?? []
  expect(effects.map(({ action }) => action)).toEqual(['configured', 'configured'])
  const changed = effects.flatMap(({ changes }) => changes).filter(({ path, from, to }) => !path.includes('plumbline.dev/module') && JSON.stringify(from) !== JSON.stringify(to))
  expect(changed).toEqual([])
  expect(await versions()).toBe(before)
})
