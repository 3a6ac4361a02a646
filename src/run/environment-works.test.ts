import { expect, test } from 'vitest'
import type { Environment } from '#model/config/environment.ts'
import { environmentItself } from '#model/probe-state.ts'
import type { Verdict } from '#model/probe.ts'
import { saveProbeStates } from '#store/probe-states.ts'
import { createRun, updateRun } from '#store/runs.ts'
import type { RunKind } from '#store/runs.ts'
import type { Sql } from '#store/sql.ts'
import { describeStores } from '../../test/stores.ts'
import { environmentWorks } from './environment-works.ts'

const now = 1_000_000
const staging = { metadata: { name: 'staging' }, spec: { verifyEvery: 60_000, probes: [{ name: 'dns' }] } } as unknown as Environment
const state = (sql: Sql, probe: string, verdict: Verdict, askedAt: number) => saveProbeStates(sql, [{ environment: 'staging', module: environmentItself, probe, kind: 'dns', verdict, onset: 1, askedAt, lastBefore: null, causes: [], flips: [], sample: null }])

describeStores('An environment that comes first', ({ open }) => {
  test('works where its own probes are known to pass: not where they were never asked, long ago, or before a run changed something', async () => {
    const sql = await open()
    expect(await environmentWorks(sql, staging, now)).toBe(false)
    expect(await environmentWorks(sql, { ...staging, spec: { ...staging.spec, probes: [] } }, now)).toBe(true)
    await state(sql, 'dns', 'passed', now - 120_001)
    expect(await environmentWorks(sql, staging, now)).toBe(false)
    await state(sql, 'dns', 'unknown', now)
    expect(await environmentWorks(sql, staging, now)).toBe(false)
    await state(sql, 'dns', 'passed', now - 120_000)
    expect(await environmentWorks(sql, staging, now)).toBe(true)
    await state(sql, 'change/whole', 'failed', 1)
    expect(await environmentWorks(sql, staging, now)).toBe(false)
    await state(sql, 'change/whole', 'passed', 1)
    for (const [index, kind] of (['operation', 'rollback', 'revert', 'prune', 'policy'] satisfies RunKind[]).entries()) {
      await createRun(sql, { id: `run-${kind}`, environment: 'staging', kind, snapshot: 's', actor: 'a', reason: 'r', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: 1 })
      await updateRun(sql, `run-${kind}`, 'succeeded', now - 100 + 2 * index)
      expect(await environmentWorks(sql, staging, now)).toBe(false)
      await state(sql, 'dns', 'passed', now - 99 + 2 * index)
      expect(await environmentWorks(sql, staging, now)).toBe(true)
    }
  })
})
