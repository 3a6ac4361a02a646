import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import { offlineCommands } from '../../src/offline.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const execute = promisify(execFile)

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ environments: ['sandbox'] })
  await shop.delivered('sandbox')
})
afterAll(() => shop.stop())

async function plumb(...args: string[]): Promise<{ code: number; out: string; notes: string }> {
  const [out, notes]: [string[], string[]] = [[], []]
  const around = { print: (line: string) => out.push(line), note: (line: string) => notes.push(line), colours: false, width: 120, cwd: shop.dir, env: { dir: shop.dir }, now: () => Date.now(), readFile: (path: string) => readFileSync(path, 'utf8') }
  const code = await runCommandLine(args, around, [offlineCommands({ PATH: process.env['PATH'] })])
  return { code, out: out.join('\n'), notes: notes.join('\n') }
}

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
  const written = await plumb('import', '--namespace', 'by-hand', '-e', 'sandbox', '--out', 'imported')
  expect(written).toMatchObject({ code: 0, notes: expect.stringContaining('left out: Secret by-hand/db: the values of Secrets are never written to Git') })
  expect(written.out.split('\n')).toContain(join(shop.dir, 'imported/manifests/service-web.yaml'))
  expect(readFileSync(join(shop.dir, 'imported/module.yaml'), 'utf8')).toContain('takeOver: true')
  expect(await plumb('import', '--namespace', 'by-hand', '-e', 'sandbox', '--out', 'imported')).toMatchObject({ code: 2, notes: expect.stringContaining('is left as it is') })
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

/** What is decided by from now on: a word on drift alone is no reason to deliver anything. */
const followed = (commit: string) => shop.until('the commit is followed', async () => ((await shop.client.status()).repositories.some(({ head }) => head === commit) ? true : undefined))
const scaled = (): Promise<string> => shop.kubectl('sandbox', '-n', 'orders', 'get', 'deployment', 'orders-api', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}')
const finding = (state: string, not = '') =>
  shop.until(`a finding that is ${state}`, async () => (await shop.client.findings({ environment: 'sandbox', module: 'orders-api', resolved: 'with' })).findings.find((one) => one.state === state && one.id !== not))

test('somebody scales by hand; the drift is adopted, and is an obligation until its commit is delivered', async () => {
  const told = await shop.push('orders', { 'deploy/module.yaml': (text) => text.replace('spec:\n', 'spec:\n  drift: { manual: report }\n') }, 'Tell, and revert nothing')
  await followed(told)
  await shop.kubectl('sandbox', '-n', 'orders', 'scale', 'deployment/orders-api', '--replicas=3')
  const found = await finding('open')
  expect(found).toMatchObject({ cause: 'manual', fields: [{ path: 'spec.replicas', live: 3 }] })

  const table = await plumb('drift', '-e', 'sandbox', '-m', 'orders-api')
  expect(table).toMatchObject({ code: 1, out: expect.stringContaining(found.id) })
  expect(JSON.parse((await plumb('drift', '--json')).out)).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining({ id: found.id })]), more: 0, failure: null })
  expect((await plumb('drift', 'show', found.id.slice(-6))).out).toMatch(/spec\.replicas\n.*declared.*\n.*live +3/)
  expect(await plumb('accept', found.id, '--reason', 'until the sale is over', '--until', '2d')).toMatchObject({ code: 0, out: expect.stringMatching(/is accepted until 2/) })
  expect((await plumb('drift', '-m', 'orders-api')).code).toBe(0)
  expect((await plumb('yield', '-e', 'sandbox')).out).toBe('Nothing is declared that another controller moves.')

  const { out: patch, notes } = await plumb('adopt', found.id, '--patch')
  expect(notes).toContain('deploy/sandbox/deployment.yaml:10:13')
  const clone = await shop.clone('orders')
  const applying = execute('git', ['-C', clone, 'apply', '--check', '-'])
  applying.child.stdin?.end(`${patch}\n`)
  await applying

  const robin = await shop.person('robin', 'operator', ['robin@shop.example'])
  await robin.adopt(found.id, { reason: 'Black Friday' })
  await shop.until('it is pushed, with this reason', async () => ((await robin.adoption(found.id)).adoption?.state === 'proposed' ? true : undefined))
  expect((await plumb('accept', found.id, '--reason', 'on second thoughts', '--until', '2d')).out).toMatch(/Its adoption is withdrawn: it is accepted instead; delete plumbline\/adopt-\S+ of orders\./)
  const again = await plumb('adopt', found.id.slice(-6), '--reason', 'so say I')
  expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/proposed {2}orders plumbline\/adopt-\S+ at [0-9a-f]{8}/) })
  const { adoption: adopted } = await robin.adoption(found.id)
  expect(adopted).toMatchObject({ repository: 'orders', edits: [{ file: 'deploy/sandbox/deployment.yaml', after: '3' }], pullRequest: null })
  expect((await robin.finding(found.id)).finding.state).toBe('adopting')
  expect((await plumb('status')).out).toContain('drift: orders-api (1 finding, on its way back to Git). plumb drift -e sandbox')
  expect((await plumb('drift', 'show', found.id)).out).toMatch(/next {2}review it; git fetch origin && git merge origin\/plumbline\/adopt-\S+ && git push, in a clone of orders/)
  await execute('git', ['-C', clone, 'fetch', '-q', 'origin'])
  const { stdout: trailers } = await execute('git', ['-C', clone, 'log', '-1', '--format=%(trailers)', `origin/${adopted?.branch ?? ''}`])
  expect(trailers).toMatch(new RegExp(`^Reason: Black Friday\nFinding: ${found.id}\nRun-Record: \\S+`, 'm'))
  const before = await scaled()

  const commit = await merge('orders', adopted?.branch ?? '')
  const delivered = await shop.settled('sandbox', commit)
  expect(delivered).toMatchObject({ state: 'succeeded' })
  expect(delivered.steps.flatMap(({ effects }) => effects.flatMap(({ changes }) => changes))).toEqual([expect.objectContaining({ path: 'spec.replicas', from: 3, to: 3, already: true })])
  expect(await shop.until('the finding resolves by itself', async () => ((await robin.finding(found.id)).finding.state === 'resolved' ? (await robin.finding(found.id)).history.map(({ what }) => what) : undefined))).toEqual(expect.arrayContaining(['opened', 'adopting', 'resolved']))
  const over = await robin.finding(found.id)
  expect(over.history.at(-1)).toMatchObject({ what: 'resolved', reason: expect.stringMatching(new RegExp(`^Git declares it by now: delivered by run-\\S+ \\(orders at ${commit.slice(0, 8)}\\), as it was adopted$`)) })
  expect(over.adoption).toMatchObject({ state: 'delivered', branch: adopted?.branch, delivered: { commit } })
  expect((await plumb('drift', 'show', found.id)).out).toMatch(/was declared.*\n.*was live +3\n[^]*delivered {2}orders plumbline\/adopt-\S+ at [0-9a-f]{8}\n[^]*deployment\.yaml:\d+:\d+/)
  expect(await scaled()).toBe(before)

  await shop.kubectl('sandbox', '-n', 'orders', 'scale', 'deployment/orders-api', '--replicas=4')
  const fourth = await finding('open')
  expect(await plumb('revert', fourth.id, '--reason', 'three are enough')).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') })
  expect(await scaled()).toMatch(/^3 /)
})

test('where the policy of a module says so, it is adopted without a word', async () => {
  const told = await shop.push('orders', { 'deploy/module.yaml': (text) => text.replace('manual: report', 'manual: adopt') }, 'Adopt')
  await followed(told)
  await shop.kubectl('sandbox', '-n', 'orders', 'scale', 'deployment/orders-api', '--replicas=2')
  const found = await finding('adopting')
  const adopted = await shop.until('it is proposed', async () => {
    const { adoption } = await shop.client.adoption(found.id)
    return adoption?.state === 'proposed' ? adoption : undefined
  })
  expect(adopted).toMatchObject({ by: 'plumbline', edits: [{ file: 'deploy/sandbox/deployment.yaml', after: '2' }] })
})
