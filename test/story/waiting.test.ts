import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { configMap, moduleFile, openSmallShop, smallWorkspace } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const environment = (approvals: number): string => `  review: { approvals: ${approvals}, notTheAuthor: false }\n  targets: { cluster: { kubernetes: { context: dev } } }\n`

describe('what waits for a person', () => {
  let shop: SmallShop
  beforeAll(async () => {
    shop = await openSmallShop({
      environment: environment(1),
      files: {
        'database/module.yaml': moduleFile('database'), 'database/manifests/map.yaml': configMap('database'),
        'web/module.yaml': moduleFile('web', '  dependsOn: [database]\n'), 'web/manifests/map.yaml': configMap('web'),
      },
    })
    await approved(await waiting())
  })
  afterAll(() => shop?.stop())

  const waiting = (of: (run: ShowAnswer) => boolean = () => true): Promise<ShowAnswer> => shop.until('a run waits', async () => (await shop.client.runs({})).runs.find((run) => run.state === 'waiting' && of(run)))
  const approved = async (run: ShowAnswer): Promise<ShowAnswer> => {
    await shop.client.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'I read it', objects: [] })
    return shop.until('it has ended', async () => {
      const now = await shop.client.show(run.id)
      return isEnded(now.state) ? now : undefined
    })
  }
  /** Nobody takes anything from the queue any more: for as long as it takes to ask ten times. */
  const atRest = async (): Promise<void> => {
    let [last, times] = ['', 0]
    await shop.until('the queue is at rest', async () => {
      const [row] = await shop.plane.parts.sql.query<{ fence: string }>('select last_value::text as fence from work_fence')
      times = row?.fence === last ? times + 1 : 0
      last = row?.fence ?? ''
      return times >= 10
    })
  }

  test('nothing waits where there is no such place', async () => {
    for (const look of [['runs'], ['drift'], ['timeline'], ['operations'], ['yield'], ['record', 'export', '--out', 'nowhere']])
      expect(await shop.plumb(...look, '-e', 'prod')).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/environment prod: the workspace has no such environment.*\n.*Known here: dev\./) })
    expect(await shop.plumb('runs', '-m', 'wep')).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean “web”?') })
  })

  test('is left alone by a change of what only depends on it', async () => {
    const first = await shop.settled(await shop.push({ 'database/manifests/map.yaml': configMap('database', '2') }, 'Another database'))
    expect(first).toMatchObject({ state: 'waiting', steps: [{ module: 'database' }, { module: 'web', effects: [] }] })
    const second = await shop.settled(await shop.push({ 'web/manifests/map.yaml': configMap('web', '2') }, 'Another page'))
    expect(second).toMatchObject({ state: 'waiting', steps: [{ module: 'web' }] })
    expect(await shop.client.show(first.id)).toMatchObject({ state: 'waiting', plan: { digest: first.plan?.digest } })
    expect(await approved(second)).toMatchObject({ state: 'succeeded' })
    // What was read is what is carried out, and what went before it stays.
    expect(await approved(first)).toMatchObject({ state: 'succeeded', approvals: [{ planDigest: first.plan?.digest }] })
    for (const name of ['database', 'web']) expect(await shop.kubernetes('GET', `/api/v1/namespaces/default/configmaps/${name}`)).toMatchObject({ data: { a: '2' } })
    expect(await shop.module('web')).toMatchObject({ delivery: 'synced', verification: 'passed' })
  })

  test('and is cancelled, is told in the status, with who did it and what begins it again', async () => {
    const run = await shop.settled(await shop.push({ 'web/manifests/map.yaml': configMap('web', '2.5') }, 'A page too far'))
    await shop.client.cancel(run.id, { reason: 'not today' })
    expect(await shop.plumb('status', '-e', 'dev')).toMatchObject({ code: 3, out: expect.stringMatching(/web +behind.*\n +cancelled by admin: not today; `plumb deploy -e dev` begins it again/) })
    expect(await shop.plumb('status', '-e', 'dev', '--json')).toMatchObject({ code: 3, out: expect.stringContaining('"code": "run-cancelled"') })
    const { run: again } = await shop.client.deploy('dev', { reason: 'today, then' })
    expect(await approved(await waiting(({ id }) => id === again))).toMatchObject({ state: 'succeeded' })
    expect(await shop.plumb('status')).toMatchObject({ code: 0 })
  })

  test('is looked at when something happens, and not again and again', async () => {
    await shop.push(smallWorkspace({ environment: environment(2) }), 'Two must look')
    const policy = await waiting((run) => run.kind === 'policy')
    await atRest()
    const change = await shop.settled(await shop.push({ 'web/manifests/map.yaml': configMap('web', '3') }, 'A third page'))
    await atRest()
    expect(await shop.client.show(policy.id)).toMatchObject({ state: 'waiting' })
    expect(await approved(policy)).toMatchObject({ state: 'succeeded' })
    await shop.until('the new policy asks', async () => (await shop.client.show(change.id)).waiting.some(({ message }) => message.includes('2 approvals')))
  })
})
