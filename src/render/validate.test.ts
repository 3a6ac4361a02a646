import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { folderReader } from './folder-reader.ts'
import { renderTools } from './tools.ts'
import { validatePath } from './validate.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(files: Readonly<Record<string, string | { link: string }>>): string {
  const root = mkdtempSync(join(tmpdir(), 'plumbline-validate-'))
  folders.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (typeof content === 'string') writeFileSync(join(root, path), content)
    else symlinkSync(content.link, join(root, path))
  }
  return root
}

const validate = (path: string) =>
  validatePath(path, { probes: { http: z.strictObject({ address: z.string() }) }, tools: renderTools({ path: '/nonexistent', tempDir: tmpdir() }), signal: new AbortController().signal })
const told = async (path: string) => (await validate(path)).problems.map(({ code, subject }) => `${code} ${subject.replace(path, '')}`)

const head = (kind: string, name: string, spec: string) => `apiVersion: plumbline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const workspace = {
  'plumbline.yaml': head('Workspace', 'shop', '{ repositories: { platform: { url: ., allow: everything }, orders: { url: ../orders.git } } }'),
  'environments/a.yaml': head('Environment', 'staging', '{ tier: staging, targets: { cluster: { kubernetes: { context: x } } } }'),
  'environments/b.yaml': head('Environment', 'production', '{ tier: production, targets: { cluster: { kubernetes: { context: x } } } }'),
  'dns/module.yaml': head('Module', 'dns', '{ target: cluster, source: { path: "${environment}" }, dependsOn: [of-another-repository] }'),
  'dns/staging/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
  'dns/production/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
}

describe('validating a working directory', () => {
  test('a workspace, with every module rendered for every environment', async () => {
    expect(await validate(folder(workspace))).toEqual({ workspace: 'shop', environments: ['production', 'staging'], modules: [{ name: 'dns', file: 'dns/module.yaml' }], rendered: 2, problems: [] })
  })

  test('what is wrong with its documents, and with what modules render to', async () => {
    expect(await told(folder({ ...workspace, 'dns/production/a.yaml': 'a: {', 'x/module.yaml': head('Module', 'x', '{ tarjet: a }') }))).toEqual(['configuration-invalid /x/module.yaml:4:9', 'yaml-invalid /dns/production/a.yaml:1:5'])
    expect(await told(folder({ ...workspace, 'environments/a.yaml': head('Environment', 'staging', '{}') }))).toEqual(['configuration-invalid /environments/a.yaml:4:1', 'configuration-invalid /environments/a.yaml:4:1'])
  })

  test('a product team’s repository, whose environments are not known here', async () => {
    const root = folder({ 'deploy/module.yaml': head('Module', 'orders', '{ target: cluster, environments: [staging] }'), 'deploy/a.yaml': '- a', 'b/module.yaml': head('Module', 'orders', '{ target: cluster }') })
    expect(await told(root)).toEqual(['module-duplicate /b/module.yaml:3:19', 'module-duplicate /deploy/module.yaml:3:19'])
    rmSync(join(root, 'b'), { recursive: true })
    expect(await told(root)).toEqual(['object-invalid /deploy/a.yaml:1'])
  })

  test('one file', async () => {
    const root = folder({ 'm.yaml': head('Module', 'a', '{ target: c, driver: postgres, verifyEvry: 5m }') })
    expect((await validate(join(root, 'm.yaml'))).problems).toMatchObject([{ hint: 'Did you mean “verifyEvery”?' }])
  })

  test('nothing that is there', async () => {
    expect(await told(folder({ 'a.txt': '' }))).toEqual(['workspace-missing '])
    await expect(validate('/no/such/folder')).rejects.toMatchObject({ code: 'source-missing', hint: expect.stringContaining('plumbline.yaml') as string })
  })

  test('links that leave the folder are refused, and not read', async () => {
    const outside = folder({ 'secret.yaml': 'canary: 1', 'more/a.yaml': 'canary: 1' })
    const root = folder({ 'module.yaml': head('Module', 'a', '{ target: c, source: { path: x } }'), 'x/a.yaml': { link: join(outside, 'secret.yaml') }, 'y/module.yaml': head('Module', 'b', '{ target: c, source: { path: z } }'), 'y/z': { link: `../../${outside.split('/').at(-1)}/more` } })
    expect(await told(root)).toEqual(['path-outside-repository /x/a.yaml', 'path-outside-repository /y/z'])
  })
})

describe('a folder as a tree', () => {
  test('has files, links and submodules, and leaves out what is no content', async () => {
    const root = folder({ 'a.yaml': 'a', 'b/c.yaml': 'c', '.git/config': '', 'node_modules/x/module.yaml': '', link: { link: 'b' }, 'lib/.git': 'gitdir: x', 'lib/d.yaml': 'd' })
    await using socket = createServer().listen(join(root, 'socket'))
    await once(socket, 'listening')
    const reader = folderReader(root, 'r')
    expect((await reader.list(''))?.map(({ path, type }) => [path, type])).toEqual([['a.yaml', 'blob'], ['b', 'tree'], ['lib', 'submodule'], ['link', 'link']])
    expect((await reader.walk('')).map((entry) => entry.path)).toEqual(['a.yaml', 'b/c.yaml', 'link'])
    expect(await reader.entry('link/c.yaml')).toBeUndefined()
    expect(await reader.entry('.git/config')).toBeUndefined()
    expect(await reader.list('nowhere')).toBeUndefined()
    expect(String(await reader.read({ path: 'link', id: '', type: 'link' }))).toBe('b')
    await expect(reader.entry('../x')).rejects.toMatchObject({ code: 'path-outside-repository' })
  })

  test('a file of 50 MB is not read', async () => {
    const root = folder({ 'a.yaml': '' })
    truncateSync(join(root, 'a.yaml'), 50 * 1024 * 1024)
    await expect(folderReader(root, 'r').read({ path: 'a.yaml', id: '', type: 'blob' })).rejects.toMatchObject({ code: 'file-too-large' })
  })
})
