import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import { verdicts } from '#model/probe.ts'
import type { Sample } from '#model/probe.ts'
import type { Probe, ProbeCapabilities, ProbeCapability } from './probe.ts'

/** What stands for a secret: fixtures put it into passwords, URLs and headers, and no sample may have it. */
export const canary = 'canary-7f3a91'

type Question<Needs extends ProbeCapability> = { readonly clients: Pick<ProbeCapabilities, Needs>; /** As it is written in YAML, without defaults. */ readonly config: object }

/** A real place to probe, and what the suite has to know about it. Every client and config holds the canary wherever a secret may be. */
export type ProbeFixture<Needs extends ProbeCapability> = {
  readonly passing: Question<Needs>
  readonly failing: Question<Needs>
  /** What never answers. */
  readonly hanging: Question<Needs>
  /** Where nobody is let in. */
  readonly refusing: Question<Needs>
  /** What answers, and not with what is asked for: other content, or another protocol. */
  readonly lying: Question<Needs>
  /** What answers rightly, after a while: `slowMs` at least. */
  readonly slow: Question<Needs>
  stop(): Promise<void>
}

/** Time for a question to get under way. Nothing depends on how far it got: whenever it is stopped, it has to end. */
const underWay = (): Promise<void> => after(100)

/** How long what is slow takes at least (ms). */
export const slowMs = 300

/** Clients of which none lets a probe anywhere. */
function refusing(thrown: () => unknown): ProbeCapabilities {
  const refuse = (): never => {
    throw thrown()
  }
  const refuseLater = async (): Promise<never> => refuse()
  return { reach: { address: refuse, addresses: () => [], resolve: refuseLater }, kubernetes: refuseLater, sqlUrl: refuseLater, secret: refuseLater, jobs: refuseLater, hostProgram: refuseLater, cel: refuseLater }
}

/** What every probe must pass. `open` is called once; what it opened is stopped at the end. `missing` says why it cannot run here, if it cannot. */
export function conformance<Config, Needs extends ProbeCapability>(probe: Probe<Config, Needs>, open: () => Promise<ProbeFixture<Needs>>, missing?: string): void {
  describe.skipIf(missing !== undefined)(`the probe ${probe.kind} conforms${missing === undefined ? '' : ` (${missing})`}`, () => {
    let place: ProbeFixture<Needs>
    beforeAll(async () => {
      place = await open()
    })
    afterAll(async () => place?.stop())

    const ask = async ({ clients, config }: Question<Needs>, signal: AbortSignal = AbortSignal.timeout(10_000), clock = new FakeClock()): Promise<Sample> => {
      const sample = await probe.sample({ clients, clock, signal }, probe.schema.parse(config))
      expectWhole(sample)
      return sample
    }

    test('passes and fails as the system is', async () => {
      expect(await ask(place.passing)).toMatchObject({ verdict: 'passed' })
      expect(await ask(place.failing)).toMatchObject({ verdict: 'failed' })
    })

    test('passes neither what refuses, nor what lies', async () => {
      for (const cell of [place.refusing, place.lying]) expect((await ask(cell)).verdict).toMatch(/^(failed|unknown)$/)
    })

    test('waits for what is slow, and does not pass it before it has answered', async () => {
      const began = performance.now()
      expect(await ask(place.slow)).toMatchObject({ verdict: 'passed' })
      expect(performance.now() - began).toBeGreaterThan(slowMs * 0.9)
      expect((await ask(place.slow, AbortSignal.timeout(slowMs / 3))).verdict).toMatch(/^(failed|unknown)$/)
    })

    test('is told the time, and reads no clock of its own', async () => {
      const clock = new FakeClock()
      const began = clock.now()
      expect(await ask(place.passing, undefined, clock)).toMatchObject({ collectedAt: began, durationMs: 0 })
      const stopping = new AbortController()
      const asked = ask(place.hanging, stopping.signal, clock)
      await underWay()
      clock.advance(4_000)
      stopping.abort(new DOMException('over', 'TimeoutError'))
      expect(await asked).toMatchObject({ collectedAt: began, durationMs: 4_000, message: expect.stringContaining('timed out after 4 s') })
    })

    test('says the same of the same', async () => {
      expect(await ask(place.passing)).toEqual(await ask(place.passing))
      expect(await ask(place.failing)).toEqual(await ask(place.failing))
    })

    test('ends within 200 ms of its signal, and a run that was stopped leaves it unknown', async () => {
      const stopping = new AbortController()
      const asked = ask(place.hanging, stopping.signal)
      await underWay()
      const stopped = performance.now()
      stopping.abort(new Failure({ code: 'lease-lost', subject: 'run', message: canary }))
      expect(await asked).toMatchObject({ verdict: 'unknown' })
      expect(performance.now() - stopped).toBeLessThan(200)
    })

    test('does not pass what does not answer in time', async () => {
      expect((await ask(place.hanging, AbortSignal.timeout(150))).verdict).toMatch(/^(failed|unknown)$/)
    })

    test('asks nothing for who has gone already', async () => {
      expect(await ask(place.passing, AbortSignal.abort(new Error(canary)))).toMatchObject({ verdict: 'unknown' })
    })

    test('is unknown where nothing may be reached, and says why', async () => {
      const refused = refusing(() => new Failure({ code: 'probe-out-of-reach', subject: 'it', message: 'probes may not reach it' }))
      expect(await ask({ clients: refused, config: place.passing.config })).toMatchObject({ verdict: 'unknown', message: 'probes may not reach it' })
      expect(await ask({ clients: refused, config: place.failing.config })).toMatchObject({ verdict: 'unknown', message: 'probes may not reach it' })
    })

    test('never throws, and repeats nothing of an error that it does not know', async () => {
      for (const thrown of [new TypeError(canary), canary, undefined, { toString: () => canary }]) {
        expect(await ask({ clients: refusing(() => thrown), config: place.passing.config })).toMatchObject({ verdict: 'unknown' })
      }
    })

    test('has a schema that describes every field, and takes no field that it does not know', () => {
      expect(probe.schema.safeParse({ ...place.passing.config, nosuchfield: 1 }).success).toBe(false)
      expect(probe.schema.safeParse('text').success).toBe(false)
      const { shape } = probe.schema._zod.def as unknown as { shape: Record<string, { description?: string }> }
      expect(Object.keys(shape).length).toBeGreaterThan(0)
      expect(Object.entries(shape).filter(([, field]) => field.description === undefined)).toEqual([])
    })
  })
}

/** A sample as everything after it takes it to be. */
function expectWhole(sample: Sample): void {
  expect(verdicts).toContain(sample.verdict)
  expect(['latency', 'reachability', 'count', 'diff', 'boolean']).toContain(sample.signal)
  expect(sample.target).not.toBe('')
  expect(sample.message).toMatch(/^\P{Cc}{1,501}$/u)
  expect(sample.threshold).toEqual(expect.any(String))
  const measured = sample.verdict === 'passed' || sample.verdict === 'warned' || (sample.verdict === 'failed' && (sample.signal === 'boolean' || sample.signal === 'reachability'))
  if (measured) expect(sample.value ?? null).not.toBeNull()
  expect(JSON.parse(JSON.stringify(sample))).toEqual(sample)
  expect(JSON.stringify(sample)).not.toContain(canary)
}
