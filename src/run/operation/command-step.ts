import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import type { ProbeResult, Sample } from '#model/probe.ts'
import type { JobPlace, ProbeCapabilities } from '#probes/probe.ts'
import { capabilitiesFor } from '../probe-capabilities.ts'
import type { StepCall, StepEnded, StepKind } from './step.ts'

const usualTimeout = 600_000
/** For what was under way when its time was over already: to read how it ended. */
const leastMs = 10_000

/** A command, by the mechanism of the probe of that name: a Job, or a program that the host target lists. Once: where it cannot be told how it ended, nobody knows what it did. */
export const commandStep: StepKind<'command'> = {
  kind: 'command',
  about: (config) => {
    const { target, image, run, argv } = fieldsOf(config)
    return image === undefined ? `${run} on ${target}` : `${argv?.[0] ?? 'command'} of ${image} in ${target}`
  },
  carryOut: async (call, config) => {
    await call.place.claim.assertLease()
    return endOf(call, config, 'makes')
  },
}

/** What became of a command that was begun and not finished: a Job goes on without us, and tells. Nothing where only a person can find out. */
export function findOutCommand(call: StepCall, config: unknown): Promise<StepEnded> | undefined {
  return fieldsOf(config).image === undefined ? undefined : endOf(call, config, 'finds')
}

async function endOf(call: StepCall, config: unknown, begin: NonNullable<JobPlace['step']>['begin']): Promise<StepEnded> {
  const { place, row, timeout = usualTimeout } = call
  const { clock } = place.parts
  const left = begin === 'makes' ? timeout : Math.max(leastMs, (row.startedAt ?? clock.now()) + timeout - clock.now())
  const isOver = AbortSignal.timeout(left)
  const sample = await sampleOf(call, config, { begin, timeoutMs: timeout }, AbortSignal.any([call.signal, isOver]))
  const { verdict, message } = sample
  const probes: ProbeResult[] = [{ probe: row.name, kind: 'command', verdict, samples: [sample], asked: 1 }]
  if (verdict === 'passed' || verdict === 'warned') return { state: 'done', message, probes }
  const failure = new Failure({ code: 'command-failed', subject: `step ${row.name}`, message }).toJSON()
  // What was ended by its time has done something, and nobody knows how much: only its own end is one.
  return { state: verdict === 'failed' && !isOver.aborted ? 'failed' : 'unknown', failure, probes }
}

/** With a Job of its own, by run and step: neither another step's nor a probe's is taken for it. */
async function sampleOf({ place, owner, row }: StepCall, config: unknown, step: NonNullable<JobPlace['step']>, signal: AbortSignal): Promise<Sample> {
  const { clock, probes } = place.parts
  const probe = probes.find(({ kind }) => kind === 'command')
  if (probe === undefined) return { signal: 'boolean', target: row.name, verdict: 'unknown', message: 'there is no probe command', collectedAt: clock.now(), durationMs: 0 }
  const clients = capabilitiesFor(place, owner)
  const jobs: ProbeCapabilities['jobs'] = async (target, image) => ({ ...(await clients.jobs(target, image)), owner: `${place.environment.metadata.name}/${place.run.id}/${row.name}`, step })
  const hostProgram: ProbeCapabilities['hostProgram'] = async (...asked) => ({ ...(await clients.hostProgram(...asked)), longestMs: step.timeoutMs })
  return probe.sample({ clients: { ...clients, jobs, hostProgram }, clock, signal }, config as never)
}

function fieldsOf(config: unknown): { target?: string; image?: string; run?: string; argv?: readonly string[] } {
  return isObject(config as Json) ? (config as object) : {}
}
