import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { offlineCommands } from './offline.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'plumbline-offline-'))
  folders.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

async function plumb(cwd: string, ...args: string[]): Promise<{ code: number; out: string; notes: string }> {
  const out: string[] = []
  const notes: string[] = []
  const around: Surroundings = { print: (line) => out.push(line), note: (line) => notes.push(line), colours: false, width: 120, cwd, env: {}, now: () => 0, readFile: () => undefined }
  const code = await runCommandLine(args, around, [offlineCommands({ PATH: '/nonexistent' })])
  return { code, out: out.join('\n'), notes: notes.join('\n') }
}

const head = (kind: string, name: string, spec: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const manifest = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { answer: "yes" }\n`
const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: pin, namespace: dns }\nstringData: { pin: CANARY }\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: key, namespace: dns }\ndata: { key: Q0FOQVJZ }\n'
const workspace = {
  'plumbline.yaml': head('Workspace', 'shop', '{ repositories: { platform: { url: ., allow: everything } } }'),
  'environments/a.yaml': head('Environment', 'staging', '{ tier: staging, targets: { cluster: { kubernetes: { context: x } } } }'),
  'dns/module.yaml': head('Module', 'dns', '{ target: cluster, source: { path: "${environment}" }, plainSecrets: true, secrets: [{ name: db, namespace: dns, keys: { url: { secretRef: "env:URL#x" } } }] }'),
  'dns/staging/a.yaml': manifest('a'),
  'dns/staging/secret.yaml': secret,
}

describe('plumb validate', () => {
  test('says that a workspace is valid, and of what it is made', async () => {
    expect(await plumb(folder(workspace), 'validate')).toEqual({ code: 0, out: 'valid  workspace shop, 1 environment, 1 module, 1 rendering', notes: '' })
  })

  test('lists every problem with file, line, column and field, what was expected, and what was probably meant', async () => {
    const root = folder({ ...workspace, 'x/module.yaml': head('Module', 'x', '{ tarjet: cluster, track: declarativ }'), 'dns/staging/a.yaml': 'a: {' })
    const { code, out } = await plumb(dirname(root), 'validate', root)
    expect(code).toBe(2)
    const lines = out.split('\n').slice(out.split('\n').findIndex((line) => line.includes('x/module.yaml')))
    const at = root.slice(dirname(root).length + 1)
    expect(lines[0]).toMatch(new RegExp(`^${at}/x/module.yaml:4:9: spec.tarjet: unknown field, expected one of .*target.* \\[configuration-invalid\\]$`))
    expect(lines[1]).toBe('  Did you mean “target”?')
    expect(out).toMatch(/x\/module\.yaml:4:\d+: spec\.track: expected one of declarative, operator, imperative, found “declarativ”/)
    expect(out).toContain('Did you mean “declarative”?')
    expect(out).toMatch(/dns\/staging\/a\.yaml:1:5: .*\[yaml-invalid\]/)
    expect(lines.at(-1)).toBe('3 problems  workspace shop, 1 environment, 1 module, 1 rendering')
  })

  test('gives JSON for CI', async () => {
    const root = folder({ 'deploy/module.yaml': head('Module', 'orders', '{ tarjet: a, target: b }'), 'deploy/a.yaml': manifest('a') })
    const { code, out } = await plumb(root, 'validate', '--json')
    expect(code).toBe(2)
    expect(JSON.parse(out)).toMatchObject({ valid: false, workspace: null, modules: [], problems: [{ code: 'configuration-invalid', subject: './deploy/module.yaml:4:9', fields: { file: 'deploy/module.yaml', line: 4, column: 9, path: 'spec.tarjet' } }] })
  })

  test('takes the folder of one module in a product team’s repository', async () => {
    const root = folder({ 'deploy/module.yaml': head('Module', 'orders', '{ target: cluster }'), 'deploy/a.yaml': manifest('a') })
    expect(await plumb(root, 'validate', 'deploy')).toEqual({ code: 0, out: 'valid  no workspace, 0 environments, 1 module, 1 rendering', notes: '' })
  })

  test('a rendering that is refused is 1, a folder that is not there 2', async () => {
    const empty = folder({ 'module.yaml': head('Module', 'orders', '{ target: cluster, source: { path: x } }'), 'x/README.md': '' })
    expect(await plumb(empty, 'validate')).toMatchObject({ code: 1, out: expect.stringContaining('[render-empty]') as string })
    expect(await plumb(empty, 'validate', 'nowhere')).toMatchObject({ code: 2, notes: expect.stringContaining('source-missing') as string })
  })
})

describe('plumb render', () => {
  test('prints what would be delivered, with where it comes from', async () => {
    const { code, out } = await plumb(folder(workspace), 'render', '-e', 'staging')
    expect(code).toBe(0)
    expect(out).toContain(`---
# module dns: dns/staging/a.yaml:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels:
    plumbline.dev/module: dns
data:
  answer: 'yes'
`)
  })

  test('masks every value of a Secret, and shows references', async () => {
    const root = folder(workspace)
    const texts = [(await plumb(root, 'render', '-e', 'staging')).out, (await plumb(root, 'render', '-e', 'staging', '--json')).out]
    for (const text of texts) {
      expect(text).not.toContain('CANARY')
      expect(text).not.toContain('Q0FOQVJZ')
      expect(text).toContain('(masked)')
      expect(text).toContain('(env:URL#x)')
    }
  })

  test('of one module, in a repository without a workspace, for an environment that is known by its name', async () => {
    const root = folder({ 'a/module.yaml': head('Module', 'a', '{ target: c, source: { path: "${environment}" } }'), 'a/prod/x.yaml': manifest('x'), 'b/module.yaml': head('Module', 'b', '{ target: c, environments: [staging] }'), 'b/y.yaml': manifest('y') })
    const { code, out } = await plumb(root, 'render', '-e', 'prod', '-m', 'a', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ environment: 'prod', modules: [{ module: 'a', objects: [{ file: 'a/prod/x.yaml', line: 1, body: { kind: 'ConfigMap' } }] }], problems: [] })
    expect(await plumb(root, 'render', '-e', 'prod', '-m', 'b')).toMatchObject({ code: 2, notes: expect.stringContaining('it does not go to prod') as string })
  })

  test.each<[string, string[], string]>([
    ['without an environment', [], 'it needs an environment'],
    ['for an environment that there is not', ['-e', 'stagin'], 'Did you mean “staging”?'],
    ['of a module that there is not', ['-e', 'staging', '-m', 'dn'], 'Did you mean “dns”?'],
  ])('%s is refused', async (_, args, told) => {
    const { code, notes, out } = await plumb(folder(workspace), 'render', ...args)
    expect([code, out]).toEqual([2, ''])
    expect(notes).toContain(told)
  })

  test('an environment of an odd name is refused', async () => {
    const root = folder({ 'module.yaml': head('Module', 'a', '{ target: c }'), 'x.yaml': manifest('x') })
    for (const name of ['../x', 'A', '', '\u001b[31m']) expect((await plumb(root, 'render', '-e', name)).code).toBe(2)
  })

  test('what fails is told beside what renders', async () => {
    const root = folder({ ...workspace, 'x/module.yaml': head('Module', 'x', '{ target: cluster }') })
    const { code, out, notes } = await plumb(root, 'render', '-e', 'staging')
    expect(code).toBe(1)
    expect(out).toContain('# module dns')
    expect(notes).toMatch(/module x: .*\[(render-empty|object-invalid)\]/)
  })
})
