import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import type { ProbeConfig } from '#model/config/probe.ts'
import type { ProbeResult, Sample } from '#model/probe.ts'
import type { ProbeCapabilities } from '#probes/probe.ts'
import { capabilitiesFor } from './probe-capabilities.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Work } from './work.ts'

/** Asks each of a module's probes, side by side, until it passes or its time is over. */
export async function verify(work: Work, intent: ModuleIntent): Promise<ProbeResult[]> {
  const capabilities = capabilitiesFor(work, intent)
  return Promise.all(intent.config.spec.probes.map((config) => (speaks(config) && intent.limits !== 'everything' ? refused(work, config) : ask(work, config, capabilities))))
}

/** Whether it says to a system what the module's author chose, and not what its protocol has for a question. */
function speaks(config: ProbeConfig): boolean {
  return config.kind === 'tcp' && isObject(config.config as Json) && (config.config as JsonObject)['send'] !== undefined
}

function refused(work: Work, config: ProbeConfig): ProbeResult {
  const message = '`send` is for modules of repositories without limits: what is said to a system may change it'
  const sample: Sample = { signal: 'reachability', target: `${config.kind} ${config.name}`, verdict: 'unknown', message, collectedAt: work.parts.clock.now(), durationMs: 0 }
  return { probe: config.name, kind: config.kind, verdict: 'unknown', samples: [sample] }
}

/** How many samples of one verification are kept: the first, and the newest. */
const kept = 20

async function ask(work: Work, config: ProbeConfig, capabilities: ProbeCapabilities): Promise<ProbeResult> {
  const { clock, probes } = work.parts
  const probe = probes.find((candidate) => candidate.kind === config.kind)
  const samples: Sample[] = []
  const result = (verdict: ProbeResult['verdict']): ProbeResult => ({ probe: config.name, kind: config.kind, verdict, samples })
  if (probe === undefined) return result('unknown')
  const end = clock.now() + config.within
  for (;;) {
    const signal = AbortSignal.any([work.claim.signal, AbortSignal.timeout(config.timeout)])
    const sample = await probe.sample({ clients: capabilities, clock, signal }, config.config as never)
    work.claim.signal.throwIfAborted()
    samples.push(sample)
    if (samples.length > kept) samples.splice(1, 1)
    if (sample.verdict === 'passed' || sample.verdict === 'warned') return result(sample.verdict)
    if (clock.now() + config.every > end) return result(sample.verdict)
    await clock.sleep(config.every, work.claim.signal)
  }
}
