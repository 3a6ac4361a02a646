import { afterAll, beforeAll, expect, test } from 'vitest'
import { isEnded } from '#model/run.ts'
import { moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const probed = (cel: string): string => moduleFile('web', `  probes:\n    - { name: there, within: 2s, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: web, cel: "${cel}" } }\n`)
const strict = "object.data.a == '1'"

let shop: SmallShop
beforeAll(async () => {
  shop = await openSmallShop({
    environment: '  review: { approvals: 1 }\n  targets: { cluster: { kubernetes: { context: dev } } }\n',
    files: { 'web/module.yaml': probed(strict), 'web/manifests/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web, namespace: default }\ndata: { a: "1" }\n' },
  })
})
afterAll(() => shop?.stop())

const waiting = () => shop.until('a run waits', async () => (await shop.client.runs({})).runs.find((run) => run.state === 'waiting'))
const approved = async (run: { id: string; plan: { digest: string } | null }) => {
  await shop.client.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'I read it', objects: [] })
  return shop.until('it has ended', async () => {
    const now = await shop.client.show(run.id)
    return isEnded(now.state) ? now : undefined
  })
}

test('a change of what proves a module alone waits for the same approval, and says what it is', async () => {
  const first = await waiting()
  expect(first.waiting[0]?.message).not.toContain('proven')
  expect(await approved(first)).toMatchObject({ state: 'succeeded', steps: [{ verification: 'passed' }] })

  const weaker = await shop.settled(await shop.push({ 'web/module.yaml': probed('true') }, 'Anything will do'))
  const change = `probes.there.kubernetes.cel: ${JSON.stringify(strict)} -> "true"`
  expect(weaker).toMatchObject({ state: 'waiting', plan: { summary: { created: 0, configured: 0, deleted: 0 } }, steps: [{ module: 'web', proof: [change] }], waiting: [{ code: 'review.approvals', message: expect.stringContaining(`This changes how modules are proven: web: ${change}.`) }] })
  expect((await shop.plumb('show', weaker.id)).out).toContain(`proven by  ${change}`)

  // Weaker still is another plan: what was read is not what would hold.
  await shop.push({ 'web/module.yaml': moduleFile('web') }, 'Nothing at all')
  const none = await shop.until('another run waits', async () => (await shop.client.runs({})).runs.find((run) => run.state === 'waiting' && run.id !== weaker.id))
  expect(none.plan?.digest).not.toBe(weaker.plan?.digest)
  // What waits proves nothing yet: what is delivered is looked at as it was let through.
  const { run: look } = await shop.client.verify('dev', { reason: 'is it well?' })
  const looked = await shop.until('it was looked at', async () => {
    const now = await shop.client.show(look ?? '')
    return isEnded(now.state) ? now : undefined
  })
  expect(looked).toMatchObject({ state: 'succeeded', changes: [], probes: [{ probe: 'there', verdict: 'passed' }], steps: [{ readinessOnly: false }] })
  expect(await approved(none)).toMatchObject({ state: 'succeeded', steps: [{ readinessOnly: true }] })
  // Accepted, it is what the next one is held against.
  const again = await shop.settled(await shop.push({ 'web/module.yaml': probed(strict) }, 'With a probe'))
  expect(again.steps[0]?.proof?.length).toBeGreaterThan(2)
})
