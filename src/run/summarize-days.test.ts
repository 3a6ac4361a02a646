import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { Redactor } from '#lib/redact.ts'
import type { Verdict } from '#model/probe.ts'
import { newKeyPair, publicKeyOf, signerOf } from '#record/dsse.ts'
import { dayField } from '#record/predicates.ts'
import type { VerificationSummaryPredicate } from '#record/predicates.ts'
import { verificationSummary } from '#record/published-fields.ts'
import { verifyChain } from '#record/verify.ts'
import { chainPage } from '#store/records.ts'
import { insertSamples } from '#store/samples.ts'
import { describeStores } from '../../test/stores.ts'
import type { Parts } from './parts.ts'
import { summarizeDays } from './summarize-days.ts'
import { recordVerdict } from './tell-verdict.ts'
import { timeline } from './timeline.ts'

const hour = 3_600_000
const keys = newKeyPair()

describeStores('A day of verification', ({ store: opened }) => {
  test('is one record a module that was looked at, on the chain, in SLSA’s words, once', async () => {
    const store = await opened()
    const clock = new FakeClock()
    const began = clock.now()
    const parts = { sql: store, clock, signer: signerOf(keys.privatePem), redactor: new Redactor() } as unknown as Parts
    const sample = (module: string, at: number, verdict: Verdict) => ({ environment: 'days', module, probe: 'up', at, verdict, run: null, sample: { signal: 'boolean', target: 'up', verdict, message: verdict, collectedAt: at, durationMs: 1 } as const })
    const change = async (to: Verdict, from: Verdict, after: number) => {
      clock.advance(began + after - clock.now())
      await store.transaction((tx) => recordVerdict(tx, parts, { environment: 'days', module: 'web', from, to, changes: [], results: [], snapshot: null, now: clock.now() }))
    }
    await change('passed', 'unknown', 6 * hour)
    await change('failed', 'passed', 12 * hour)
    await change('passed', 'failed', 13 * hour)
    await insertSamples(store, [sample('web', began + 6 * hour, 'passed'), sample('web', began + 12 * hour, 'failed'), sample('web', began + 13 * hour, 'passed'), sample('web', began + 25 * hour, 'passed'), sample('web', began + 49 * hour, 'passed')])
    await summarizeDays(parts, 'days')
    const summaries = async (): Promise<VerificationSummaryPredicate[]> =>
      (await store.query<{ text: string }>(`select text from record where environment = 'days' and kind = 'verification-summary' order by seq`)).map(({ text }) => (JSON.parse(text) as { predicate: VerificationSummaryPredicate }).predicate)
    // The day is not over yet.
    expect(await summaries()).toEqual([])
    clock.advance(13 * hour)
    for (const _ of [1, 2]) await summarizeDays(parts, 'days')
    expect((await summaries()).map((one) => one[dayField])).toEqual([
      { module: 'web', from: began, to: began + 24 * hour, samples: { failed: 1, passed: 2 }, lastedMs: { unknown: 6 * hour, passed: 17 * hour, failed: hour }, changes: 3, worst: 'failed', verification: 'passed' },
    ])
    // A day later, from the summary before it; and no record for a day on which nobody looked.
    clock.advance(24 * hour)
    await summarizeDays(parts, 'days')
    const all = await summaries()
    expect(all.map((one) => [one.verificationResult, one[dayField].lastedMs])).toEqual([['FAILED', expect.anything()], ['PASSED', { passed: 24 * hour }]])
    for (const one of all) expect(verificationSummary.parse(one)).toBeDefined()
    const page = await chainPage(store, 'days', 0)
    expect(page && verifyChain(page, [publicKeyOf(keys.publicPem)])).toMatchObject({ records: 5, sealed: 5, defects: [] })
    const told = await timeline(parts, { since: began + 24 * hour, until: clock.now(), module: 'web' }, () => true)
    expect(told.moments.map(({ text }) => text)).toEqual(['the day ended passed: samples 1 failed, 2 passed; 3 changes', 'the day ended passed: samples 1 passed; 0 changes'])
  })
})
