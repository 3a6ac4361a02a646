import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { standBetween } from '../standing-between.ts'
import { moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const pod = 'spec: { restartPolicy: Never, containers: [{ name: main, image: "work:1" }] }'
const job = (name: string): string => `apiVersion: batch/v1\nkind: Job\nmetadata: { name: ${name}, namespace: default }\nspec: { template: { ${pod} } }\n`
const at = (name: string): string => `/apis/batch/v1/namespaces/default/jobs/${name}`

describe('what does not become ready is not delivered', () => {
  let shop: SmallShop
  /** Whether Jobs become ready is asked by lists and watches of them. */
  let blind = false
  beforeAll(async () => {
    const said = { status: 500, body: { kind: 'Status', status: 'Failure', code: 500, reason: 'InternalError', message: 'etcdserver: no leader' } }
    shop = await openSmallShop({ files: {}, between: (cluster) => standBetween(cluster, ({ method, path }) => (blind && method === 'GET' && path.includes('/jobs?') ? said : undefined)) })
  })
  afterAll(() => shop.stop())

  const push = (name: string, more = ''): Promise<string> => shop.push({ [`${name}/module.yaml`]: moduleFile(name, more), [`${name}/manifests/job.yaml`]: job(name) })
  /** What became of it; then it is taken back, so that it stands in nobody's way. */
  async function became(sha: string, name: string): Promise<{ run: unknown; module: unknown; held: unknown }> {
    const told = { run: await shop.settled(sha), module: await shop.module(name), held: await shop.plane.parts.sql.query('select module from inventory where module = $1', [name]) }
    blind = false
    await shop.push({ [`${name}/module.yaml`]: null, [`${name}/manifests/job.yaml`]: null })
    await shop.until('it is gone', async () => (await shop.module(name)) === undefined || undefined)
    return told
  }
  /** It fails, is recorded, and what is there stays ours. */
  function failing(name: string, delivery: 'failed' | 'unknown', code: string, message: RegExp, hint: RegExp): object {
    const failure = { code, message: expect.stringMatching(message), hint: expect.stringMatching(hint), retry: 'later' }
    const run = { state: 'failed', record: { digest: expect.stringMatching(/^sha256:/) }, steps: [{ module: name, delivery: 'failed', effects: [{ outcome: 'created' }], failure }] }
    return { run, module: { delivery, failure: { code } }, held: [{ module: name }] }
  }

  test('what its controller gives up on fails at once, in the controller’s words', async () => {
    const sha = await push('hopeless')
    await shop.until('it is there', () => shop.kubernetes('GET', at('hopeless')).catch(() => undefined))
    const status = { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }] }
    await shop.kubernetes('PATCH', `${at('hopeless')}/status?fieldManager=kube-controller-manager&force=true`, JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'hopeless', namespace: 'default' }, status }))
    expect(await became(sha, 'hopeless')).toMatchObject(failing('hopeless', 'failed', 'not-ready', /backoff limit/, /kubectl describe job\.batch hopeless -n default$/))
  })

  test('what is not ready at its deadline fails, and says what it waited for', async () => {
    const sha = await push('slow', '  deadline: 1s\n')
    expect(await became(sha, 'slow')).toMatchObject(failing('slow', 'failed', 'deadline-exceeded', /not ready within its deadline: Job default\/slow: /, /spec\.deadline/))
  })

  test('what nobody can tell of until its deadline is unknown', async () => {
    blind = true
    const sha = await push('unseen', '  deadline: 1s\n')
    expect(await became(sha, 'unseen')).toMatchObject(failing('unseen', 'unknown', 'readiness-unknown', /no leader|nothing was seen/, /./))
  })

  test('without probes its readiness is asked again by `plumb verify`: what was ready and is not any more has failed', async () => {
    const sha = await push('once')
    await shop.until('it is there', () => shop.kubernetes('GET', at('once')).catch(() => undefined))
    const became = (type: string, reason: string): Promise<unknown> =>
      shop.kubernetes('PATCH', `${at('once')}/status?fieldManager=kube-controller-manager&force=true`, JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once', namespace: 'default' }, status: { conditions: [{ type, status: 'True', reason, message: reason }] } }))
    await became('Complete', 'CompletionsReached')
    expect(await shop.settled(sha)).toMatchObject({ state: 'succeeded', steps: [{ verification: 'passed', readinessOnly: true }] })
    await became('Failed', 'PodFailurePolicy')
    const verified = await shop.plumb('verify', '-m', 'once', '-e', 'dev', '--reason', 'to see')
    expect(verified).toMatchObject({ code: 1, out: expect.stringMatching(/not-ready: Job default\/once/) })
    expect(await shop.module('once')).toMatchObject({ delivery: 'synced', verification: 'failed' })
  })
})
