import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { Fixture } from '#source/fixture.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const configMap = (name: string, value = '1', namespace = 'default'): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: { a: "${value}" }\n`
const extra = `apiVersion: plumbline.dev/v1alpha1
kind: Environment
metadata: { name: extra }
spec:
  tier: production
  deliver: { automatic: true }
  review: { approvals: 1 }
  targets: { cluster: { kubernetes: { context: dev } } }
`

let tenants: Fixture
let tenant: SourceRepository
let shop: SmallShop
const workspace = (repositories: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Workspace\nmetadata: { name: shop }\nspec:\n  repositories:\n    shop: { url: ., allow: everything, poll: 1h }\n${repositories}`
const tenantWith = (namespaces: string): string => `    tenant: { url: "${tenant.path}", poll: 1h, allow: { environments: [dev], targets: [cluster], kinds: namespaced, namespaces: [${namespaces}] } }\n`

beforeAll(async () => {
  tenants = new Fixture()
  tenant = tenants.repository('tenant')
  tenant.commit({ 'module.yaml': moduleFile('stall', '  environments: [dev]\n'), 'manifests/stall.yaml': configMap('stall') }, { message: 'A stall' })
  shop = await openSmallShop({
    repositories: tenantWith('default'),
    files: {
      'web/module.yaml': moduleFile('web', '  environments: [dev]\n'),
      'web/manifests/web.yaml': configMap('web'),
      'far/module.yaml': moduleFile('far', '  environments: [extra]\n'),
      'far/manifests/far.yaml': configMap('far') + '---\n' + configMap('farther'),
      'environments/extra.yaml': extra,
    },
  })
})
afterAll(async () => {
  await shop?.stop()
  tenants?.[Symbol.dispose]()
})

const environment = async (name: string) => (await shop.client.status()).environments.find((one) => one.name === name)
const stall = async () => (await environment('dev'))?.modules.find((one) => one.name === 'stall')
const live = async (...names: string[]): Promise<string[]> => {
  const client = await shop.plane.parts.kubernetes({ kubernetes: { context: 'dev' } })
  const never = new AbortController().signal
  const kind = await client.kind('v1', 'ConfigMap', never)
  if (kind === undefined) throw new Error('no ConfigMaps are served')
  const { items } = await client.list(kind, 'default', {}, never)
  return items.map((item) => String((item['metadata'] as { name?: string }).name)).filter((name) => names.includes(name)).sort()
}
const waiting = (of: (run: ShowAnswer) => boolean) => shop.until('a run of extra waits', async () => (await shop.client.runs({ environment: 'extra' })).runs.find((run) => run.state === 'waiting' && of(run)))
const ended = (id: string) => shop.until(`run ${id} has ended`, async () => {
  const run = await shop.client.show(id)
  return isEnded(run.state) ? run : undefined
})
const approve = (run: ShowAnswer) => shop.client.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'it is meant', objects: [] })
const synced = (name: string, module: string) =>
  shop.until(`${module} is delivered to ${name}`, async () => ((await environment(name))?.modules.find((one) => one.name === module)?.delivery === 'synced' ? true : undefined))

test('what a repository may no longer have it may not change, and can let go', async () => {
  await synced('dev', 'stall')
  await shop.push({ 'plumbline.yaml': workspace(tenantWith('other')) }, 'Not here any more')
  await shop.until('the narrower limits hold', async () => ((await shop.client.runs({ environment: 'dev' })).runs.some((run) => run.kind === 'policy' && run.state === 'succeeded') ? true : undefined))
  tenant.commit({ 'module.yaml': moduleFile('stall', '  environments: [dev]\n'), 'manifests/stall.yaml': configMap('stall', '2'), 'manifests/more.yaml': configMap('more', '1', 'other') }, { message: 'Bigger' })
  await shop.look('tenant')
  await shop.until('it is refused', async () => ((await stall())?.failure?.code === 'gate-refused' ? true : undefined))
  expect((await stall())?.failure?.message).toContain('the namespace default is not listed')
  expect(await live('stall')).toEqual(['stall'])
  tenant.commit({ 'module.yaml': moduleFile('stall', '  environments: [dev]\n  empty: true\n'), 'manifests/none.yaml': '# nothing\n' }, { message: 'Gone from here' })
  await shop.look('tenant')
  await synced('dev', 'stall')
  expect(await live('stall')).toEqual([])
})

test('a repository that is removed from the workspace leaves nothing behind', async () => {
  tenant.commit({ 'module.yaml': moduleFile('stall', '  environments: [dev]\n'), 'manifests/stall.yaml': configMap('stall', '3') }, { message: 'Again' })
  await shop.push({ 'plumbline.yaml': workspace(tenantWith('default')) }, 'Here again')
  await shop.look('tenant')
  await shop.until('it is there', async () => ((await live('stall')).length === 1 && (await stall())?.delivery === 'synced' ? true : undefined))
  await shop.push({ 'plumbline.yaml': workspace('') }, 'Without the tenant')
  await shop.until('it is forgotten', async () => ((await stall()) === undefined ? true : undefined))
  expect(await live('stall')).toEqual([])
})

test('an environment that is removed from Git keeps what it holds, and says so; nothing waits for it any more', async () => {
  await approve(await waiting(() => true))
  await synced('extra', 'far')
  await shop.push({ 'far/manifests/far.yaml': configMap('far', '2') + '---\n' + configMap('farther') }, 'A change that nobody approves')
  const open = await waiting(() => true)
  await shop.push({ 'environments/extra.yaml': null }, 'No extra')
  const gone = await shop.until('it is said', async () => ((await environment('extra'))?.gone === true ? environment('extra') : undefined))
  expect(gone).toMatchObject({ gone: true, holds: 2, modules: [{ name: 'far' }] })
  expect(await ended(open.id)).toMatchObject({ state: 'superseded', failure: { message: 'the environment extra was removed from the workspace' }, record: { digest: expect.any(String) } })
  expect(await live('far', 'farther')).toEqual(['far', 'farther'])
  expect((await shop.plumb('status')).out).toContain('gone from Git: nothing is delivered here, and the 2 objects that it holds stay')
  // What Git still has is not pruned or forgotten on the side.
  for (const wrong of [['prune', '-e', 'dev'], ['forget', '-e', 'dev', '-m', 'web']]) expect(await shop.plumb(...wrong, '--reason', 'oops')).toMatchObject({ code: 1, err: expect.stringContaining('Git still has it') })
  expect(await shop.plumb('prune', '-e', 'nowhere', '--reason', 'oops')).toMatchObject({ code: 2, err: expect.stringContaining('no such environment') })
  expect(await live('far', 'farther', 'web')).toEqual(['far', 'farther', 'web'])
})

test('a person has it pruned: gated by the policy that it had, and then it is forgotten', async () => {
  const { run: id } = await shop.client.prune('extra', { reason: 'we do not need it' })
  const run = await waiting((one) => one.kind === 'prune')
  expect(run).toMatchObject({ id, actor: 'admin', reason: 'we do not need it', waiting: [{ code: 'review.approvals' }], plan: { summary: { deleted: 2 } } })
  // Asked again, it is the same run.
  expect(await shop.client.prune('extra', { reason: 'now' })).toEqual({ run: id })
  // Who asked for it is its author: the own word does not count, and who may is told.
  await approve(run)
  const own = await waiting((one) => one.kind === 'prune' && one.waiting.some(({ message }) => message.includes('That of admin does not count')))
  expect(own.waiting[0]?.hint).toContain('nobody else may approve here yet')
  writeFileSync(join(shop.dir, 'bo'), (await shop.plumb('token', 'create', 'bo', '--role', 'approver')).out)
  expect(await shop.plumb('approve', 'latest', '-e', 'extra', '--reason', 'it is meant', '--token-file', 'bo')).toMatchObject({ code: 0 })
  expect(await ended(run.id)).toMatchObject({ state: 'succeeded', approvals: [{ principal: 'admin' }, { principal: 'bo' }], record: { digest: expect.any(String) } })
  expect(await live('far', 'farther')).toEqual([])
  await shop.until('it is forgotten', async () => ((await environment('extra')) === undefined ? true : undefined))
})

test('one that comes back before it is pruned stays, and a person may also have it forgotten: then its objects are nobody’s', async () => {
  await shop.push({ 'environments/extra.yaml': extra }, 'Extra after all')
  await approve(await waiting(() => true))
  await synced('extra', 'far')
  await shop.push({ 'environments/extra.yaml': null }, 'Or not')
  await shop.until('it is gone', async () => ((await environment('extra'))?.gone === true ? true : undefined))
  await shop.client.prune('extra', { reason: 'away with it' })
  const open = await waiting((one) => one.kind === 'prune')
  await shop.push({ 'environments/extra.yaml': extra }, 'Yes')
  expect(await ended(open.id)).toMatchObject({ state: 'superseded', failure: { message: 'the environment extra is back in the workspace' } })
  expect(await live('far', 'farther')).toEqual(['far', 'farther'])

  await shop.push({ 'environments/extra.yaml': null }, 'No')
  await shop.until('it is gone', async () => ((await environment('extra'))?.gone === true ? true : undefined))
  const said = await shop.plumb('forget', '-e', 'extra', '--reason', 'its cluster is somebody else’s now')
  expect(said).toMatchObject({ code: 0, out: expect.stringContaining('extra is forgotten') })
  const [forgotten] = (await shop.client.runs({ environment: 'extra' })).runs
  expect(forgotten).toMatchObject({ kind: 'forget', state: 'succeeded', actor: 'admin', steps: [{ module: 'far', effects: [{ key: 'core/ConfigMap/default/far', action: 'skipped' }, { key: 'core/ConfigMap/default/farther' }] }], record: { digest: expect.any(String) } })
  expect(await live('far', 'farther')).toEqual(['far', 'farther'])
  await shop.until('it is not listed any more', async () => ((await environment('extra')) === undefined ? true : undefined))
})
