import { askAll } from './ask-step.ts'
import type { StepKind } from './step.ts'

/** For a time, from when it first began, also across a restart; or until a probe passes. */
export const waitStep: StepKind<'wait'> = {
  kind: 'wait',
  about: (config) => ('for' in config ? `${config.for / 1000} s` : `until ${config.until.name} passes`),
  carryOut: async (call, config) => {
    if ('until' in config) return askAll(call, [config.until])
    const at = (call.row.startedAt ?? call.place.parts.clock.now()) + config.for
    return call.place.parts.clock.now() >= at ? { state: 'done', message: `waited for ${config.for / 1000} s` } : { state: 'later', at }
  },
}
