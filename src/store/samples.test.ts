import { expect, test } from 'vitest'
import type { Sample } from '#model/probe.ts'
import { describeStores } from '../../test/stores.ts'
import { probeStates, saveProbeStates } from './probe-states.ts'
import { forgetSamples, LookLog } from './samples.ts'
import type { Look } from './samples.ts'
import type { Sql } from './sql.ts'
import { saveStatus, saveVerification, statuses } from './statuses.ts'

const sample = (at: number): Sample => ({ signal: 'count', target: 'it', value: at, verdict: 'passed', message: 'it is so', collectedAt: at, durationMs: 1 })
const look = (module: string, at: number): Look => ({
  environment: 'e', module, delivered: null, verification: 'passed', began: at, verifiedAt: at, staleAt: at + 10, probes: [{ probe: 'p', verdict: 'passed', askedAt: at, sample: sample(at) }],
  samples: [{ environment: 'e', module, probe: 'p', at, verdict: 'passed', run: null, sample: sample(at) }],
})

describeStores('Samples', ({ store }) => {
  test('many looks share few commits, and each resolves when it is kept', async () => {
    const sql = await store()
    let statements = 0
    const counting: Sql = { ...sql, kind: sql.kind, transaction: (work) => sql.transaction(work), query: (text, params) => ((statements += 1), sql.query(text, params)) }
    const log = new LookLog(counting)
    await saveProbeStates(sql, [{ environment: 'e', module: 'm-7', probe: 'p', kind: 'sql', verdict: 'passed', onset: 1, askedAt: 1, lastBefore: null, causes: [], flips: [], sample: null }])
    await Promise.all(Array.from({ length: 200 }, (_, index) => log.keep(look(`m-${index}`, index))))
    expect(await sql.query('select count(*)::int as n from sample')).toEqual([{ n: 200 }])
    expect(statements).toBeLessThan(10)
    expect(await sql.query('select asked_at, sample from probe_state')).toEqual([{ asked_at: 7, sample: sample(7) }])
  })

  test('who was overtaken changes nothing: neither another verdict, nor what is known of another delivery, nor what is newer', async () => {
    const sql = await store()
    const log = new LookLog(sql)
    const state = { environment: 'e', module: 'm', probe: 'p', kind: 'sql', verdict: 'passed', onset: 1, askedAt: 5, lastBefore: null, causes: [], flips: [], sample: null } as const
    const row = { environment: 'e', module: 'm', repository: 'r', track: 'declarative', driver: 'd', target: 't', delivery: 'synced', verification: 'unknown', readinessOnly: false, intent: 'i', delivered: 'i', snapshot: 's', snapshotSeq: 1, run: null, verifiedSince: null, failure: null, updatedAt: 0, verifiedAt: null, staleAt: null, movedAt: null, movedWhy: null } as const
    await saveProbeStates(sql, [state])
    await saveStatus(sql, row)
    await saveVerification(sql, { environment: 'e', module: 'm', verification: 'passed', verifiedSince: 5, verifiedAt: 5, staleAt: 15, began: 5 }, 5)
    const known = async () => ({ state: (await probeStates(sql, 'e', 'm'))[0]?.askedAt, module: (await statuses(sql, 'e', 'm'))[0]?.verifiedAt })
    const late = { ...look('m', 20), delivered: 'i' }
    await log.keep({ ...late, delivered: 'another' })
    await log.keep({ ...look('m', 4), delivered: 'i' })
    expect(await known()).toEqual({ state: 5, module: 5 })
    await log.keep(late)
    expect(await known()).toEqual({ state: 20, module: 20 })
    await saveProbeStates(sql, [{ ...state, verdict: 'failed', askedAt: 21 }])
    await saveVerification(sql, { environment: 'e', module: 'm', verification: 'failed', verifiedSince: null, verifiedAt: 21, staleAt: 31, began: 21 }, 21)
    await log.keep({ ...look('m', 30), delivered: 'i' })
    expect(await known()).toEqual({ state: 21, module: 21 })
    await sql.query(`delete from sample where module = 'm'`)
  })

  test('a look that could not be kept is told to whoever waits for it, and to nobody after', async () => {
    const sql = await store()
    const log = new LookLog(sql)
    const bad = { ...look('m', 1), samples: [{ ...look('m', 1).samples[0], verdict: null } as never] }
    await expect(log.keep(bad)).rejects.toMatchObject({ code: 'store-constraint' })
    await log.keep(look('m', 1_000))
  })

  test('old ones are forgotten', async () => {
    const sql = await store()
    await forgetSamples(sql, 150)
    expect(await sql.query('select min(at) as first, count(*)::int as n from sample')).toEqual([{ first: 150, n: 51 }])
  })
})
