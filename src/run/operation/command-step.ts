import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { askProbe } from '../ask-probe.ts'
import type { StepKind } from './step.ts'

const timeout = 600_000

/** A command, by the mechanism of the probe of that name: a Job, or a program that the host target lists. Once: where it cannot be told how it ended, nobody knows what it did. */
export const commandStep: StepKind<'command'> = {
  kind: 'command',
  about: (config) => {
    const { target, image, run, argv } = (isObject(config as Json) ? config : {}) as { target?: string; image?: string; run?: string; argv?: readonly string[] }
    return image === undefined ? `${run} on ${target}` : `${argv?.[0] ?? 'command'} of ${image} in ${target}`
  },
  carryOut: async ({ place, owner, row }, config) => {
    await place.claim.assertLease()
    const probe = { name: row.name, settle: 0, within: 0, every: 1_000, timeout, window: undefined, compare: undefined, need: 'all', kind: 'command', config, across: [] } as const
    const result = await askProbe(place, { config: probe, owner }, 'now')
    const message = result.samples.at(-1)?.message ?? 'it was not begun'
    if (result.verdict === 'passed' || result.verdict === 'warned') return { state: 'done', message, probes: [result] }
    const failure = new Failure({ code: 'command-failed', subject: `step ${row.name}`, message }).toJSON()
    return { state: result.verdict === 'failed' ? 'failed' : 'unknown', failure, probes: [result] }
  },
}
