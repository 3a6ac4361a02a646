import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { FakeClock, systemClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { GateDecision } from '#model/gate.ts'
import type { Plan } from '#model/plan.ts'
import { openStore } from '#store/open.ts'
import { createRun, findRun, updateRun } from '#store/runs.ts'
import type { RunKind } from '#store/runs.ts'
import type { Store } from '#store/sql.ts'
import type { Parts } from './parts.ts'
import { record } from './record-run.ts'
import { waitRun } from './wait-run.ts'
import type { Work } from './work.ts'
import { layEmptyStore } from '../../test/empty-store.ts'

const dir = mkdtempSync(join(tmpdir(), 'plumbline-told-'))
const clock = new FakeClock()
let store: Store
let parts: Parts
beforeAll(async () => {
  store = await openStore({ dir: layEmptyStore(dir) }, systemClock)
  parts = { sql: store, clock, signer: { sign: () => ({ payloadType: '', payload: '', signatures: [] }) }, redactor: { redact: (text: string) => text.replace('hunter2', '…') } } as unknown as Parts
})
beforeEach(() => store.script('delete from notification; delete from run;'))
afterAll(async () => {
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

async function made(kind: RunKind = 'change', id = 'run-1'): Promise<Work> {
  await createRun(store, { id, environment: 'production', kind, snapshot: 's', actor: 'a', reason: 'web 2.0', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: 0 })
  return { parts, claim: { fence: async () => {} }, run: await findRun(store, id) } as unknown as Work
}

const told = async (): Promise<string[]> => (await store.query<{ kind: string; body: { message: string } }>('select kind, body from notification order by seq')).map(({ kind, body }) => `${kind}: ${body.message}`)
const approval: GateDecision = { code: 'review.approvals', outcome: 'wait', waitingFor: 'approval', message: 'one more' }
const earlier: GateDecision = { code: 'deliver.after', outcome: 'wait', waitingFor: 'environment', message: 'staging first' }
const wait = (work: Work, digest: string, ...decisions: GateDecision[]): Promise<void> => waitRun(work, { digest } as unknown as Plan, { outcome: 'wait', decisions, plan: {} as Plan })

test('people are asked for an approval once a plan, however often it is planned anew', async () => {
  const work = await made()
  await wait(work, 'sha256:a', earlier)
  expect(await told()).toEqual([])
  await wait(work, 'sha256:a', earlier, approval)
  await updateRun(store, 'run-1', 'planning', 1)
  await wait(work, 'sha256:a', approval)
  expect(await told()).toEqual(['approval: run-1 (web 2.0) waits: one more'])
  await wait(work, 'sha256:b', approval)
  expect(await told()).toHaveLength(2)
})

test('a run that failed is told once, with why; one that only verified, succeeded or was replaced is not', async () => {
  const failure = new Failure({ code: 'not-ready', subject: 'Deployment web', message: 'hunter2 is wrong' }).toJSON()
  const end = (id: string, state: 'failed' | 'succeeded' | 'superseded') => store.transaction((tx) => record(tx, parts, id, state, failure, 1_000))
  for (const state of ['succeeded', 'superseded'] as const) {
    await made('change', `run-${state}`)
    await end(`run-${state}`, state)
  }
  await made('verify', 'run-verify')
  await end('run-verify', 'failed')
  expect(await told()).toEqual([])
  await made('change', 'run-2')
  await end('run-2', 'failed')
  expect(await told()).toEqual(['run-failed: run-2 (web 2.0) failed: Deployment web: … is wrong'])
})
