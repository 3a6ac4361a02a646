import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { until } from '#lib/until.ts'
import { aimsOf } from '#model/config/check-probes.ts'
import type { ProbeConfig } from '#model/config/probe.ts'
import { comparedWith, isDecided, isGood, overWindow, together } from '#model/judge-samples.ts'
import type { ProbeResult, Sample } from '#model/probe.ts'
import type { OwnedProbe } from './owned-probes.ts'
import { capabilitiesFor } from './probe-capabilities.ts'
import type { Work } from './work.ts'

/** Where probes are asked: by a run, or by nobody but time. */
export type Place = Pick<Work, 'parts' | 'environment' | 'claim'>

/**
 * How long a probe is asked. After a change it may take a while until things work (`until it passes`, at most `within`); what is
 * asked again later has to work now (`now`: one sample, or as many as its window needs).
 */
export type Patience = 'until it passes' | 'now'

/** How many samples of one verification are kept, unless its window needs more: the first, and the newest. */
const kept = 20

/** Asks a probe for its verdict. It does not throw for what it meets; only for the end of the claim. */
export async function askProbe(place: Place, probe: OwnedProbe, patience: Patience, before?: Sample): Promise<ProbeResult> {
  const { config } = probe
  const { clock } = place.parts
  const samples: Sample[] = []
  const verdicts: Sample['verdict'][] = []
  const end = clock.now() + config.within
  for (;;) {
    const sample = await inTurn(place, config, () => takeRound(place, probe, before))
    verdicts.push(sample.verdict)
    samples.push(sample)
    if (samples.length > Math.max(kept, config.window?.of ?? 1)) samples.splice(1, 1)
    const verdict = overWindow(verdicts, config.window)
    const isOver = isGood({ verdict }) || (patience === 'now' && isDecided(verdicts, config.window)) || clock.now() + config.every > end
    if (isOver) return { ...resultOf(config, verdict, samples), asked: verdicts.length, ...(before === undefined ? {} : { before }) }
    await clock.sleep(config.every, place.claim.signal)
  }
}

/** At most one asks a target at a time, whether a run or time asks: each round of samples has a turn of its own, and nobody waits for the pauses between. */
function inTurn<T>({ parts, environment, claim: { signal } }: Place, config: ProbeConfig, round: () => Promise<T>): Promise<T> {
  const taken = parts.turns.take(turnsOf(environment.metadata.name, config), async () => {
    signal.throwIfAborted()
    return round()
  })
  return until(taken, signal)
}

/** Names of what a probe asks, for whoever takes turns: by the environment's name for it, where the probe uses one. */
export function turnsOf(environment: string, { kind, config, across }: ProbeConfig): string[] {
  return (across.length === 0 ? [config] : across).flatMap((one) => {
    const names = aimsOf(one).map(({ name }) => name)
    return (names.length === 0 ? [kind] : names).map((name) => `${environment}/${name}`)
  })
}

/** One sample of a probe: of all its targets side by side, each held against its own from before the change. */
async function takeRound(place: Place, probe: OwnedProbe, before?: Sample): Promise<Sample> {
  const { config } = probe
  const taken = await Promise.all(configsOf(config).map((one) => takeOne(place, probe, one)))
  place.claim.signal.throwIfAborted()
  const { compare } = config
  const compared = compare === undefined ? taken : taken.map((sample, index) => comparedWith(config.across.length === 0 ? before : before?.across?.[index], sample, compare))
  const [first, ...rest] = compared
  if (first === undefined) throw new TypeError('a probe asks something')
  return config.across.length === 0 ? first : together([first, ...rest], config.need)
}

/** The same before the change: as it is, without a comparison. */
export function takeBefore(place: Place, probe: OwnedProbe): Promise<Sample> {
  return inTurn(place, probe.config, () => takeRound(place, { ...probe, config: { ...probe.config, compare: undefined } }))
}

async function takeOne(place: Place, { config, owner }: OwnedProbe, one: unknown): Promise<Sample> {
  const { clock, probes } = place.parts
  if (owner.limits !== 'everything' && speaks(config.kind, one)) return unasked(place, config, '`send` is for modules of repositories without limits: what is said to a system may change it')
  const probe = probes.find((candidate) => candidate.kind === config.kind)
  if (probe === undefined) return unasked(place, config, `there is no probe ${config.kind}`)
  const signal = AbortSignal.any([place.claim.signal, AbortSignal.timeout(config.timeout)])
  return probe.sample({ clients: capabilitiesFor(place, owner), clock, signal }, one as never)
}

/** Whether it says to a system what the module's author chose, and not what its protocol has for a question. */
function speaks(kind: string, config: unknown): boolean {
  return kind === 'tcp' && isObject(config as Json) && (config as JsonObject)['send'] !== undefined
}

function unasked({ parts }: Place, config: ProbeConfig, message: string): Sample {
  return { signal: 'reachability', target: `${config.kind} ${config.name}`, verdict: 'unknown', message, collectedAt: parts.clock.now(), durationMs: 0 }
}

function configsOf(config: ProbeConfig): readonly unknown[] {
  return config.across.length === 0 ? [config.config] : config.across
}

function resultOf({ name, kind, window }: ProbeConfig, verdict: Sample['verdict'], samples: readonly Sample[]): Omit<ProbeResult, 'asked'> {
  const base = { probe: name, kind, verdict, samples }
  return window === undefined ? base : { ...base, window: { passed: samples.slice(-window.of).filter(isGood).length, of: window.of, needed: window.passed } }
}
