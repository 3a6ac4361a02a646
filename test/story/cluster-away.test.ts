import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { systemClock } from '#lib/clock.ts'
import { standBetween } from '../standing-between.ts'
import type { Heard, Said } from '../standing-between.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const failing: Said = { status: 500, body: { kind: 'Status', status: 'Failure', code: 500, reason: 'InternalError', message: 'etcdserver: no leader' } }

describe('a cluster that says nothing, or says that it is broken, is waited for', () => {
  let shop: SmallShop
  let trouble: (heard: Heard) => Said | 'hang' = () => undefined
  let cut: () => void
  /** While the cluster hangs nobody waits the half minutes that it would be given. */
  let hurry = 1
  let count = 1
  const applies: string[] = []

  beforeAll(async () => {
    shop = await openSmallShop({
      files: { 'app/module.yaml': moduleFile('app'), 'app/manifests/map.yaml': configMap('app') },
      clock: { now: () => systemClock.now(), sleep: (ms, signal) => systemClock.sleep(ms / hurry, signal) },
      between: async (cluster) => {
        const between = await standBetween(cluster, (heard) => {
          const said = trouble(heard)
          if (heard.method === 'PATCH' && said === undefined && !heard.path.includes('dryRun')) applies.push(heard.body)
          return said
        })
        cut = between.cut
        return between
      },
    })
    await delivered()
  })
  afterAll(() => shop.stop())

  async function delivered(): Promise<void> {
    await shop.until('it is delivered', async () => {
      const module = await shop.module('app')
      return module?.delivery === 'synced' && module.verification === 'passed' && (await live()) === String(count)
    })
  }
  const live = async (): Promise<unknown> => ((await shop.kubernetes('GET', '/api/v1/namespaces/default/configmaps/app'))['data'] as { a?: unknown })['a']
  const change = (): Promise<string> => shop.push({ 'app/manifests/map.yaml': configMap('app', String((count += 1))) })
  const inventory = (): Promise<unknown> => shop.plane.parts.sql.query('select key, uid, desired from inventory order by key')
  const runOf = async (sha: string): Promise<ShowAnswer | undefined> => (await shop.client.runs({ environment: 'dev' })).runs.find((run) => run.changes.some((one) => one.sha === sha))
  function over(): void {
    trouble = () => undefined
    hurry = 1
  }

  test.each([
    ['accepts and never answers', 'hang', 'kubernetes-unreachable', /no answer within 30 s/],
    ['answers 500', failing, 'kubernetes-failing', /etcdserver: no leader/],
  ] as const)('it %s while a run is planned: the run says so, nothing is lost, and it goes on by itself', async (_, answer, code, message) => {
    const before = await inventory()
    trouble = () => answer
    hurry = 200
    const sha = await change()
    const waiting = await shop.until('the run says what it waits for', async () => {
      const run = await runOf(sha)
      return (run?.failure ?? null) === null ? undefined : run
    })
    expect(waiting).toMatchObject({ state: 'planning', plan: null, record: null, failure: { code, subject: expect.stringMatching(/./), message: expect.stringMatching(message), hint: expect.stringMatching(/./), retry: 'later' } })
    expect(await shop.module('app')).toMatchObject({ delivery: 'behind', verification: 'passed', note: waiting.failure?.message })
    const { code: exit, err } = await shop.plumb('plan', '-e', 'dev')
    expect(exit).toBe(4)
    expect(err).toContain(`${code}: `)
    expect(err).toContain(waiting.failure?.hint)
    expect(await inventory()).toEqual(before)
    over()
    expect(await shop.settled(sha)).toMatchObject({ id: waiting.id, state: 'succeeded', failure: null })
    await delivered()
  })

  test('it takes an apply and never answers: the run asks what became of it, and does it once', async () => {
    const begun = applies.length
    trouble = ({ method }) => (method === 'PATCH' ? 'hang' : undefined)
    hurry = 20
    const sha = await change()
    const waiting = await shop.until('the module says what it waits for', async () => {
      const run = await runOf(sha)
      return run?.steps.some((step) => step.failure !== undefined) === true ? run : undefined
    })
    expect(waiting).toMatchObject({ state: 'delivering', steps: [{ module: 'app', delivery: 'delivering', failure: { code: 'kubernetes-unreachable' } }] })
    expect(await shop.module('app')).toMatchObject({ delivery: 'progressing', verification: 'stale', stale: expect.stringMatching(/^run-\w+ is at work on it and has not verified it yet$/) })
    over()
    expect(await shop.settled(sha)).toMatchObject({ id: waiting.id, state: 'succeeded' })
    await delivered()
    expect(applies.length - begun).toBe(1)
  })

  test('it does not answer until the deadline: what became of it is unknown, is recorded so, and is found out when it is back', async () => {
    await shop.push({ 'app/module.yaml': moduleFile('app', '  deadline: 5s\n') })
    await delivered()
    const before = await inventory()
    trouble = ({ method }) => (method === 'PATCH' ? 'hang' : undefined)
    const sha = await change()
    const failed = await shop.settled(sha)
    expect(failed).toMatchObject({ state: 'failed', record: { digest: expect.stringMatching(/^sha256:/) }, steps: [{ effects: [{ outcome: 'unknown', failure: { code: 'effect-interrupted', hint: expect.stringMatching(/./) } }] }] })
    expect(await shop.module('app')).toMatchObject({ delivery: 'unknown', failure: { code: 'effect-interrupted', retry: 'later' } })
    expect((await shop.plumb('show', failed.id)).out).toContain('effect-interrupted: ConfigMap default/app')
    expect(await inventory()).toEqual(before)
    over()
    hurry = 10 // the deadline hurries too: half a second is enough for an apply
    await delivered()
    hurry = 1
    expect(await runOf(sha)).toMatchObject({ state: 'succeeded' })
  })

  test('what is not ready at the deadline has failed; where the cluster does not tell of it, nobody knows', async () => {
    const deployment = (image: string): string =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: app, namespace: default }\nspec: { selector: { matchLabels: { app: app } }, template: { metadata: { labels: { app: app } }, spec: { containers: [{ name: main, image: "${image}" }] } } }\n`
    const pushed = (image: string): Promise<string> => shop.push({ 'slow/module.yaml': moduleFile('slow', '  deadline: 1s\n'), 'slow/manifests/deployment.yaml': deployment(image) })
    // No controller is at work here.
    const late = await shop.settled(await pushed('app:1'))
    expect(late).toMatchObject({ state: 'failed', steps: [{ module: 'slow', failure: { code: 'deadline-exceeded', message: expect.stringContaining('Deployment default/app') } }] })
    expect(await shop.module('slow')).toMatchObject({ delivery: 'failed' })
    trouble = ({ method, path }) => (method === 'GET' && path.includes('/deployments?') ? 'hang' : undefined)
    const unknown = await shop.settled(await pushed('app:2'))
    expect(unknown).toMatchObject({ state: 'failed', steps: [{ module: 'slow', failure: { code: 'readiness-unknown', hint: expect.stringMatching(/./) } }] })
    expect(await shop.module('slow')).toMatchObject({ delivery: 'unknown' })
    over()
  })

  test('its watch is lost: that nothing is known is said; what was found stays, and what happened meanwhile is found, each once', async () => {
    const names = ['edited', 'undone', 'deleted', 'later', 'back']
    const path = (name: string): string => `/api/v1/namespaces/default/configmaps/${name}`
    const edit = (name: string, value: string) =>
      shop.kubernetes('PATCH', `${path(name)}?fieldManager=kubectl&force=true`, JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { a: value } }))
    const findings = async () => (await shop.client.findings({ module: 'watched', resolved: 'with' })).findings
    const told = async (): Promise<string[]> => (await findings()).map(({ object, cause, state, count: times }) => `${object.split('/').at(-1)} ${cause} ${state} ${times}`).sort()
    const watch = async () => (await shop.client.findings({})).watches[0]?.state
    await shop.settled(await shop.push({ 'watched/module.yaml': moduleFile('watched', '  drift: { manual: report, missing: report }\n'), ...Object.fromEntries(names.map((name) => [`watched/manifests/${name}.yaml`, configMap(name)])) }))
    for (const name of ['edited', 'undone']) await edit(name, 'by hand')
    await shop.until('two findings', async () => (await findings()).length === 2)
    const before = (await findings()).map(({ id }) => id).sort()
    trouble = ({ method }) => (method === 'GET' ? failing : undefined)
    cut()
    await shop.until('nothing is known', async () => (await watch()) === 'down')
    expect(await shop.plumb('drift')).toMatchObject({ code: 4, out: expect.stringContaining('is not heard of') })
    await edit('undone', '1')
    await shop.kubernetes('DELETE', path('deleted'))
    await edit('later', 'by night')
    await edit('back', 'there')
    await edit('back', '1')
    expect(await told()).toEqual(['edited manual open 1', 'undone manual open 1'])
    // It has forgotten what it would have told, too: only a list tells what is gone.
    const expired: Said = { status: 410, body: { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old resource version' } }
    let isForgotten = true
    trouble = ({ path: asked }) => {
      if (!isForgotten || !asked.includes('/configmaps?') || !asked.includes('watch=')) return undefined
      isForgotten = false
      return expired
    }
    await shop.until('it is watched', async () => (await watch()) === 'watching')
    const expected = ['deleted missing open 1', 'edited manual open 1', 'later manual open 1', 'undone manual resolved 1']
    await shop.until('all that happened', async () => JSON.stringify(await told()) === JSON.stringify(expected))
    expect((await findings()).filter(({ id }) => before.includes(id))).toHaveLength(2)
    expect(isForgotten).toBe(false)
    over()
  })
})
