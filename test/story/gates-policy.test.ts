import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, ShowAnswer } from '#api/client.ts'
import { publicKeyOf } from '#record/dsse.ts'
import { verifyChain } from '#record/verify.ts'
import { policyOf } from '#store/snapshots.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'

const pat = 'Pat <pat@platform.example>'
const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: orders }\ndata: { a: "1" }\n`
const codes = (run: ShowAnswer): string[] => run.waiting.map((one) => one.code)

describe('a change of an environment is gated by the policy that it replaces', () => {
  let shop: Shop
  let bo: Client
  const push = async (files: Parameters<Shop['push']>[1], message: string) => shop.push('platform', files, message, pat)
  /** The newest policy run of an environment for this commit, once it has ended or waits. */
  const policyRun = async (environment: string, commit: string) =>
    shop.until(`a change of policy in ${environment}`, async () =>
      (await shop.client.runs({ environment })).runs.find((run) => run.kind === 'policy' && run.changes.some((one) => one.sha === commit) && (run.endedAt !== null || run.state === 'waiting')),
    )
  const moduleRun = async (environment: string, commit: string, done: (run: ShowAnswer) => boolean) =>
    shop.until(`a run in ${environment}`, async () => (await shop.client.runs({ environment })).runs.find((run) => run.kind !== 'policy' && run.changes.some((one) => one.sha === commit) && done(run)))
  const accepted = async (environment: string) => (await policyOf(shop.plane.parts.sql, environment))?.config

  beforeAll(async () => {
    shop = await openShop()
    bo = await shop.person('bo', 'approver')
    await shop.person('pat', 'approver', ['pat@platform.example'])
    await shop.delivered('sandbox', 'staging')
    const first = await shop.until('production waits', async () => (await shop.client.runs({ environment: 'production' })).runs.find((run) => run.state === 'waiting'))
    await bo.approve(first.id, { plan: first.plan?.digest ?? '', reason: 'the first one', objects: [] })
    await shop.delivered('production')
  })
  afterAll(() => shop.stop())

  test('the first policy stands by itself', async () => {
    expect(await accepted('production')).toMatchObject({ review: { approvals: 1, notTheAuthor: true } })
    expect((await shop.client.runs({ limit: 200 })).runs.filter((run) => run.kind === 'policy')).toEqual([])
  })

  test('whoever weakens it in the commit that needs it weaker still needs the approvals', async () => {
    const sha = await push({
      'environments/production.yaml': (text) => text.replace('approvals: 1', 'approvals: 0'),
      'baseline/production/namespaces.yaml': (text) => text.replace('shop.example/team: orders', 'shop.example/team: orders\n    shop.example/new: "yes"'),
    }, 'Nobody needs to look')
    const policy = await policyRun('production', sha)
    expect(policy).toMatchObject({ state: 'waiting', actor: pat, reason: 'Nobody needs to look', steps: [], waiting: [{ code: 'review.approvals', waitingFor: 'approval' }] })
    expect(policy.waiting[0]?.message).toBe('production asks for 1 approval by others than the author; there are 0. This changes its policy: review.approvals: 1 -> 0.')
    const run = await moduleRun('production', sha, (one) => one.state === 'waiting' && one.waiting.every((word) => word.code === 'review.approvals'))
    expect(await accepted('production')).toMatchObject({ review: { approvals: 1 } })

    // The author's own does not count; another's does, and what waited for approvals goes on by the new policy.
    const own = await shop.person('pat', 'approver', ['pat@platform.example'])
    await own.approve(policy.id, { plan: policy.plan?.digest ?? '', reason: 'mine', objects: [] })
    await shop.until('it was looked at', async () => ((await shop.client.show(policy.id)).waiting[0]?.message.includes('That of pat does not count') === true ? true : undefined))
    await bo.approve(policy.id, { plan: policy.plan?.digest ?? '', reason: 'as agreed', objects: [] })
    expect(await shop.ended(policy.id)).toMatchObject({ state: 'succeeded', record: { digest: expect.any(String) }, gates: [{ code: 'review.approvals', outcome: 'allow', by: ['bo'], message: 'Approved by bo. This changes its policy: review.approvals: 1 -> 0.' }] })
    expect(await accepted('production')).toMatchObject({ review: { approvals: 0 } })
    expect(await shop.ended(run.id)).toMatchObject({ state: 'succeeded', approvals: [] })
  })

  test('a change that is declined is not asked for again, and one that is taken back asks for nothing', async () => {
    const stricter = await push({ 'environments/production.yaml': (text) => text.replace('approvals: 0', 'approvals: 2') }, 'Two must look')
    expect(await policyRun('production', stricter)).toMatchObject({ state: 'succeeded' }) // by the policy before it: nobody
    const weaker = await push({ 'environments/production.yaml': (text) => text.replace('approvals: 2', 'approvals: 1') }, 'One is enough')
    const declined = await policyRun('production', weaker)
    await shop.client.cancel(declined.id, { reason: 'two it is' })
    const other = await push({ 'README.md': (text) => `${text}\nMore.\n` }, 'A word')
    await shop.until('production has seen it', async () => {
      const { snapshot, repositories } = await shop.client.status()
      return repositories.some((one) => one.head === other) && (await shop.module('production', 'baseline'))?.snapshot === snapshot ? true : undefined
    })
    const policies = async () => (await shop.client.runs({ environment: 'production', limit: 200 })).runs.filter((run) => run.kind === 'policy')
    expect((await policies())[0]).toMatchObject({ id: declined.id, state: 'cancelled' })
    await shop.client.deploy('production', { reason: 'ask again' })
    const again = await shop.until('it is asked for again', async () => (await policies()).find((run) => run.state === 'waiting'))
    expect(again).toMatchObject({ actor: 'admin', reason: 'ask again' })
    await push({ 'environments/production.yaml': (text) => text.replace('approvals: 1', 'approvals: 2') }, 'Two after all')
    const gone = await shop.ended(again.id)
    expect(gone).toMatchObject({ state: 'superseded', failure: { code: 'run-superseded', message: 'what it was to change was taken back in Git' }, record: { digest: expect.any(String) } })
    expect(await accepted('production')).toMatchObject({ review: { approvals: 2 } })
  })

  test('where it delivers to, and what a repository may deliver there, is what was accepted', async () => {
    const sha = await push({
      'environments/production.yaml': (text) => text.replace('context: production', 'context: staging'),
      'plumbline.yaml': (text) => text.replace('namespaces: [storefront]', 'namespaces: [storefront, orders]'),
    }, 'To another cluster')
    const waiting = await policyRun('production', sha)
    expect(waiting).toMatchObject({ state: 'waiting', waiting: [{ code: 'review.approvals' }] })
    expect(waiting.waiting[0]?.message).toContain('This changes its policy: limits.storefront.namespaces: ["storefront"] -> ["storefront","orders"], targets.cluster.kubernetes.context: "production" -> "staging".')
    expect(await accepted('production')).toMatchObject({ targets: { cluster: { kubernetes: { context: 'production' } } } })
    // In the sandbox nobody has to approve it: it holds at once, for the very commit that comes with it.
    expect(await policyRun('sandbox', sha)).toMatchObject({ state: 'succeeded' })
    const beyond = await shop.push('storefront', { 'deploy/production/beyond.yaml': configMap('beyond'), 'deploy/sandbox/beyond.yaml': configMap('beyond') }, 'In the namespace of another team')
    expect((await moduleRun('sandbox', beyond, (run) => run.endedAt !== null)).state).toBe('succeeded')
    const plan = await shop.client.plan('production', { modules: ['storefront-web'] })
    expect(plan).toMatchObject({ outcome: 'refuse', gates: expect.arrayContaining([expect.objectContaining({ code: 'limits', message: expect.stringContaining('the namespace orders is not listed') })]) })
    // What is there is at the old target still: nothing of it is planned anew.
    expect(plan.steps[0]?.effects.filter((effect) => effect.action !== 'unchanged').map((effect) => effect.key)).toEqual(['core/ConfigMap/orders/beyond'])
    await shop.push('storefront', { 'deploy/production/beyond.yaml': null, 'deploy/sandbox/beyond.yaml': null }, 'Not that')
    await push({ 'environments/production.yaml': (text) => text.replace('context: staging', 'context: production'), 'plumbline.yaml': (text) => text.replace('namespaces: [storefront, orders]', 'namespaces: [storefront]') }, 'As it was')
    expect(await shop.ended(waiting.id)).toMatchObject({ state: 'superseded' })
  })

  test('where delivering is not automatic a person starts it', async () => {
    const policy = await push({ 'environments/staging.yaml': (text) => text.replace('automatic: true', 'automatic: false') }, 'By hand')
    expect(await policyRun('staging', policy)).toMatchObject({ state: 'succeeded' })
    const sha = await shop.push('storefront', { 'deploy/staging/configmap.yaml': (text) => text.replace('Good', 'Fine') }, 'Fine things')
    const waiting = await moduleRun('staging', sha, (run) => run.state === 'waiting' && codes(run).join() === 'deliver.automatic')
    expect(waiting.waiting[0]).toMatchObject({ waitingFor: 'person', hint: 'plumb deploy -e staging' })
    const { run } = await (await shop.person('vera', 'developer')).deploy('staging', { modules: ['storefront-web'], reason: 'it is time' })
    const done = await shop.ended(run ?? '')
    expect(done).toMatchObject({ state: 'succeeded', kind: 'deploy', actor: 'vera', gates: expect.arrayContaining([expect.objectContaining({ code: 'deliver.automatic', outcome: 'allow', by: ['vera'] })]) })
    expect(await shop.client.show(waiting.id)).toMatchObject({ state: 'superseded', failure: { message: expect.stringContaining(`vera started ${run ?? ''}`) } })
    expect(await shop.module('staging', 'storefront-web')).toMatchObject({ delivery: 'synced', verification: 'passed' })
  })

  test('another environment comes first, and must have stayed verified for a while', async () => {
    const policy = await push({ 'environments/staging.yaml': (text) => text.replace('automatic: false', 'automatic: true').replace('environment: sandbox', 'environment: sandbox\n      verifiedFor: 3s') }, 'Wait a little')
    expect(await policyRun('staging', policy)).toMatchObject({ state: 'succeeded' })
    const sha = await shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => text.replace('Good', 'Fine'), 'deploy/staging/configmap.yaml': (text) => text.replace('Fine', 'Finer') }, 'Finer things')
    const waiting = await moduleRun('staging', sha, (run) => run.state === 'waiting' && run.waiting[0]?.until !== undefined)
    expect(waiting.waiting).toMatchObject([{ code: 'deliver.after', waitingFor: 'environment', message: expect.stringMatching(/^It is verified in sandbox, and has to stay so until /) }])
    const done = await shop.ended(waiting.id)
    expect(done.state).toBe('succeeded')
    const { verifiedSince } = (await shop.module('sandbox', 'storefront-web')) ?? {}
    expect(Date.parse(done.endedAt ?? '') - Date.parse(verifiedSince ?? '')).toBeGreaterThanOrEqual(3000)
  })

  test('after all that, every record verifies', async () => {
    const { publicKey, chains } = await shop.client.exportRecords()
    for (const chain of chains) expect(verifyChain(chain, [publicKeyOf(publicKey)])).toMatchObject({ records: chain.records.length, sealed: chain.records.length, defects: [] })
  })
})
