import { afterAll, beforeAll, expect, test } from 'vitest'
import { moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

let shop: SmallShop
beforeAll(async () => {
  shop = await openSmallShop({ files: {} })
})
afterAll(() => shop.stop())

const claim = 'apiVersion: batch/v1\nkind: Job\nmetadata: { name: work, namespace: default }\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: main, image: "work:1" }] } } }\n'
const at = '/apis/batch/v1/namespaces/default/jobs/work'

test('what its controller gives up on fails the delivery, in the controller’s words; what is there stays ours', async () => {
  const sha = await shop.push({ 'work/module.yaml': moduleFile('work'), 'work/manifests/job.yaml': claim })
  await shop.until('it is there', () => shop.kubernetes('GET', at).catch(() => undefined))
  const status = { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }] }
  await shop.kubernetes('PATCH', `${at}/status?fieldManager=kube-controller-manager&force=true`, JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'work', namespace: 'default' }, status }))
  const run = await shop.settled(sha)
  expect(run).toMatchObject({
    state: 'failed', record: { digest: expect.stringMatching(/^sha256:/) },
    steps: [{ module: 'work', delivery: 'failed', effects: [{ outcome: 'created' }], failure: { code: 'not-ready', message: expect.stringContaining('backoff limit'), hint: expect.stringContaining('kubectl describe') } }],
  })
  expect(await shop.module('work')).toMatchObject({ delivery: 'failed', failure: { code: 'not-ready' } })
  expect(await shop.plane.parts.sql.query('select module from inventory')).toEqual([{ module: 'work' }])
})
