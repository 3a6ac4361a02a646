import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { Effect } from '#model/plan.ts'
import type { Probe } from '#probes/probe.ts'
import { newestBefore, ownBefore } from '#store/before.ts'
import { createRun, findRun, openJournal, startEffect } from '#store/runs.ts'
import type { RunKind } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { describeStores } from '../../test/stores.ts'
import type { Intents } from './render-run.ts'
import { sampleBefore } from './sample-before.ts'
import { Turns } from './turns.ts'
import type { Work } from './work.ts'

const clock = new FakeClock()
let value = 0
const gauge: Probe<unknown> = {
  kind: 'gauge', needs: [], schema: undefined as never,
  sample: async () => ({ signal: 'count', target: 'gauge', verdict: 'passed', value: (value += 1), message: `${value}`, collectedAt: clock.now(), durationMs: 0 }),
}
const frame = { within: 0, every: 1_000, timeout: 1_000, kind: 'gauge', config: {}, across: [] }
const probes = [{ name: 'rate', ...frame, compare: { max: { times: 2 } } }, { name: 'plain', ...frame }]
const intents = { modules: new Map([['web', { name: 'web', repository: 'r', probes: probes.map((config) => ({ config, owner: { name: 'web', repository: 'r', limits: 'everything' } })) }]]) } as unknown as Intents

async function workOn(sql: Sql, id: string, kind: RunKind = 'change'): Promise<Work> {
  await createRun(sql, { id, environment: 'staging', kind, snapshot: 's', actor: 'a', reason: 'r', ticket: null, startedBy: null, changes: [], modules: { web: { intent: 'i', changed: true } }, createdAt: clock.now() })
  const claim = { signal: new AbortController().signal, fence: async () => {}, assertLease: async () => {} }
  return { parts: { sql, clock, turns: new Turns(), probes: [gauge] }, claim, run: await findRun(sql, id), configuration: { workspace: { spec: { repositories: {} } } }, policy: { limits: {}, probes: [], changeProbes: [] }, environment: { metadata: { name: 'staging' }, spec: { addresses: {}, reach: [], targets: {} } } } as unknown as Work
}

describeStores('The time before a change', ({ store }) => {
  test('is asked once a run, of the probes that compare with it, and survives whoever asked', async () => {
    const sql = await store()
    const work = await workOn(sql, 'run-one')
    await sampleBefore(work, intents)
    const first = await ownBefore(sql, 'run-one', 'web')
    expect([...first.keys()]).toEqual(['rate'])
    await sampleBefore(work, intents)
    expect(await ownBefore(sql, 'run-one', 'web')).toEqual(first)
  })

  test('is never made up after an effect has begun', async () => {
    const sql = await store()
    const work = await workOn(sql, 'run-two')
    const effect = { key: 'core/ConfigMap/web/web', module: 'web' } as Effect
    await openJournal(sql, 'run-two', [effect])
    await startEffect(sql, 'run-two', effect, clock.now())
    await sampleBefore(work, intents)
    expect(await ownBefore(sql, 'run-two', 'web')).toEqual(new Map())
  })

  test.each(['rollback', 'revert'] satisfies RunKind[])('is no other for a %s: what is broken is no measure', async (kind) => {
    const sql = await store()
    const known = await newestBefore(sql, 'staging', 'web')
    await sampleBefore(await workOn(sql, `run-${kind}`, kind), intents)
    expect(await newestBefore(sql, 'staging', 'web')).toEqual(known)
    expect(await ownBefore(sql, `run-${kind}`, 'web')).toEqual(new Map())
  })

  test('is, for whoever looks later, that of the last run that asked', async () => {
    const sql = await store()
    await sampleBefore(await workOn(sql, 'run-three'), intents)
    expect(await newestBefore(sql, 'staging', 'web')).toEqual(await ownBefore(sql, 'run-three', 'web'))
    expect(await newestBefore(sql, 'production', 'web')).toEqual(new Map())
  })
})
