import { describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { Clock } from '#lib/clock.ts'
import type { Environment } from '#model/config/environment.ts'
import type { ProbeConfig } from '#model/config/probe.ts'
import type { Verdict } from '#model/probe.ts'
import type { Probe } from '#probes/probe.ts'
import { askProbe, takeBefore } from './ask-probe.ts'
import type { Place } from './ask-probe.ts'
import type { OwnedProbe } from './owned-probes.ts'
import { Turns } from './turns.ts'

/** A clock on which whoever sleeps wakes at once, and later. */
function hurrying(): Clock {
  const clock = new FakeClock(0)
  return { now: () => clock.now(), sleep: async (ms) => clock.advance(ms) }
}

const letters: Record<string, Verdict> = { p: 'passed', w: 'warned', f: 'failed', u: 'unknown' }

/** A probe that answers by a script, one letter a sample; the last one for ever. Its config names the script and a value. */
function scripted(clock: Clock): { probe: Probe<unknown>; asked: number[] } {
  const asked: number[] = []
  const at = new Map<unknown, number>()
  const sample: Probe<unknown>['sample'] = async (_call, config) => {
    const { script, value } = config as { script: string; value?: number }
    const turn = at.get(config) ?? 0
    at.set(config, turn + 1)
    asked.push(clock.now())
    const verdict = letters[script[Math.min(turn, script.length - 1)] ?? ''] ?? 'unknown'
    return { signal: 'count', target: script, verdict, ...(value === undefined ? {} : { value }), message: verdict, collectedAt: clock.now(), durationMs: 0 }
  }
  return { asked, probe: { kind: 'scripted', needs: [], schema: undefined as never, sample } }
}

function fixture(config: Partial<ProbeConfig>) {
  const clock = hurrying()
  const { probe, asked } = scripted(clock)
  const place = { parts: { clock, probes: [probe], turns: new Turns() }, environment: { metadata: { name: 'e' }, spec: { addresses: {}, reach: [], targets: {} } } as unknown as Environment, claim: { signal: new AbortController().signal } } as unknown as Place
  const owned: OwnedProbe = {
    owner: { name: 'm', repository: 'r', limits: 'everything' },
    config: { name: 'it', settle: 0, within: 60_000, every: 2_000, timeout: 1_000, window: undefined, compare: undefined, need: 'all', kind: 'scripted', config: {}, across: [], ...config },
  }
  return { place, owned, asked }
}

const told = async (config: Partial<ProbeConfig>, patience: 'until it passes' | 'now') => {
  const { place, owned } = fixture(config)
  const { verdict, asked, window } = await askProbe(place, owned, patience)
  return { verdict, asked, ...(window === undefined ? {} : { window }) }
}

test('each sample of a window has a turn of its own: none is held while nothing is asked', async () => {
  const { place, owned } = fixture({ config: { script: 'p' }, window: { passed: 3, of: 3 } })
  const { turns, clock } = place.parts
  const taken: [readonly string[], number, number][] = []
  const watched = { isCrowded: turns.isCrowded.bind(turns), take: async (names: readonly string[], work: () => Promise<unknown>) => {
    const began = clock.now()
    const answer = await turns.take(names, work)
    taken.push([names, began, clock.now()])
    return answer
  } } as unknown as Turns
  await askProbe({ ...place, parts: { ...place.parts, turns: watched } }, owned, 'now')
  expect(taken).toEqual([0, 2_000, 4_000].map((at) => [['e/scripted'], at, at]))
})

test('a run, a step of an operation, a look and a sample from before take turns at a target, and nobody else waits for them', async () => {
  let [busy, most] = [0, 0]
  const slow: Probe<unknown> = { kind: 'http', needs: [], schema: undefined as never, sample: async () => {
    busy += 1
    most = Math.max(most, busy)
    await new Promise((resolve) => setImmediate(resolve))
    busy -= 1
    return { signal: 'count', target: 'it', verdict: 'passed', message: 'passed', collectedAt: 0, durationMs: 0 }
  } }
  const { place, owned } = fixture({})
  const parts = { ...place.parts, probes: [slow] }
  const at = (address: string): OwnedProbe => ({ ...owned, config: { ...owned.config, kind: 'http', config: { address } } })
  await Promise.all([askProbe({ ...place, parts }, at('a'), 'until it passes'), askProbe({ ...place, parts }, at('a'), 'now'), takeBefore({ ...place, parts }, at('a'))])
  expect(most).toBe(1)
  await Promise.all([askProbe({ ...place, parts }, at('a'), 'until it passes'), askProbe({ ...place, parts }, at('b'), 'now')])
  expect(most).toBe(2)
})

test('who waits for a turn goes when its claim ends, and asks nothing', async () => {
  const { place, owned, asked } = fixture({ config: { script: 'p' } })
  const gate = Promise.withResolvers<void>()
  const held = place.parts.turns.take(['e/scripted'], () => gate.promise)
  const ending = new AbortController()
  const waiting = askProbe({ ...place, claim: { ...place.claim, signal: ending.signal } }, owned, 'now')
  ending.abort(new Error('the lease is lost'))
  await expect(waiting).rejects.toThrow('the lease is lost')
  gate.resolve()
  await held
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toEqual([])
})

describe('after a delivery a probe is asked until it passes, or its time is over', () => {
  test('one sample that passes is enough', async () => {
    expect(await told({ config: { script: 'fup' } }, 'until it passes')).toEqual({ verdict: 'passed', asked: 3 })
  })

  test('all samples are counted, and no more are kept than are worth it', async () => {
    const { place, owned } = fixture({ config: { script: 'f' }, within: 100_000 })
    const result = await askProbe(place, owned, 'until it passes')
    expect(result).toMatchObject({ verdict: 'failed', asked: 51 })
    expect(result.samples).toHaveLength(20)
    expect([result.samples[0]?.collectedAt, result.samples.at(-1)?.collectedAt]).toEqual([0, 100_000])
  })

  test('a window slides until enough of it passes', async () => {
    const window = { passed: 3, of: 4 }
    expect(await told({ window, config: { script: 'ffpfpp' } }, 'until it passes')).toEqual({ verdict: 'passed', asked: 6, window: { passed: 3, of: 4, needed: 3 } })
    expect(await told({ window, within: 10_000, config: { script: 'pf'.repeat(10) } }, 'until it passes')).toEqual({ verdict: 'failed', asked: 6, window: { passed: 2, of: 4, needed: 3 } })
    expect(await told({ window, within: 10_000, config: { script: 'pu'.repeat(10) } }, 'until it passes')).toMatchObject({ verdict: 'unknown' })
  })
})

describe('later it has to work now', () => {
  test('one sample decides, or as many as its window needs', async () => {
    expect(await told({ config: { script: 'fp' } }, 'now')).toEqual({ verdict: 'failed', asked: 1 })
    expect(await told({ window: { passed: 3, of: 4 }, config: { script: 'fppp' } }, 'now')).toMatchObject({ verdict: 'passed', asked: 4 })
    expect(await told({ window: { passed: 3, of: 4 }, config: { script: 'ffpp' } }, 'now')).toMatchObject({ verdict: 'failed', asked: 2 })
  })
})

test('several targets are asked at the same moment, and enough of them have to pass together', async () => {
  const across = [{ script: 'p' }, { script: 'fffp' }, { script: 'ffp' }]
  const { place, owned, asked } = fixture({ across, need: 'quorum' })
  const result = await askProbe(place, owned, 'until it passes')
  expect(result).toMatchObject({ verdict: 'passed', asked: 3 })
  expect(result.samples.map((sample) => sample.across?.map(({ verdict }) => verdict.slice(0, 1)).join(''))).toEqual(['pff', 'pff', 'pfp'])
  expect(asked).toEqual([0, 0, 0, 2_000, 2_000, 2_000, 4_000, 4_000, 4_000])
})

test('each target is held against its own value from before the change', async () => {
  const compare = { max: { times: 2 } }
  const { place, owned } = fixture({ compare, across: [{ script: 'p', value: 10 }, { script: 'p', value: 100 }] })
  const before = await takeBefore(place, owned)
  expect(before).toMatchObject({ verdict: 'passed', across: [{ value: 10 }, { value: 100 }] })
  expect(await askProbe(place, owned, 'now', before)).toMatchObject({ verdict: 'passed', before: { across: [{}, {}] } })
  const worse = { ...owned, config: { ...owned.config, across: [{ script: 'p', value: 21 }, { script: 'p', value: 100 }] } }
  expect(await askProbe(place, worse, 'now', before)).toMatchObject({ verdict: 'failed', samples: [{ across: [{ verdict: 'failed' }, { verdict: 'passed' }] }] })
  expect(await askProbe(place, owned, 'now')).toMatchObject({ verdict: 'unknown' })
})

test('a kind that is not there is unknown', async () => {
  const { place, owned } = fixture({ kind: 'nosuch' })
  expect(await askProbe(place, owned, 'now')).toMatchObject({ verdict: 'unknown', samples: [{ message: 'there is no probe nosuch' }] })
})
