import { Failure } from '#lib/failure.ts'
import type { Environment } from '#model/config/environment.ts'
import type { Limits } from '#model/config/workspace.ts'
import { matchesGlob } from '#model/glob.ts'
import type { Reach } from '#probes/probe.ts'

export type CheckedReach = Reach & {
  /** Fails with `probe-out-of-reach` unless a probe may aim at the address or target of that name. */
  check(name: string): void
  /** The same for a target, which the limits of the repository have to list too (`allow.targets`). */
  checkTarget(name: string): void
}

/** Where a module's probes may aim: what the environment lists; a repository without limits may use all of the environment's addresses and targets. */
export function reachOf(environment: Environment, limits: Limits, resolve: Reach['resolve']): CheckedReach {
  const { addresses, reach } = environment.spec
  const check = (name: string): void => {
    if (limits === 'everything' || reach.includes(name)) return
    throw new Failure({
      code: 'probe-out-of-reach',
      subject: name,
      message: `probes in ${environment.metadata.name} may not reach ${name}`,
      hint: `Add it to \`spec.reach\` of environment ${environment.metadata.name}, if they should.`,
    })
  }
  return {
    check,
    checkTarget: (name) => {
      check(name)
      if (limits === 'everything' || limits.targets.some((glob) => matchesGlob(glob, name))) return
      throw new Failure({
        code: 'probe-out-of-reach',
        subject: name,
        message: `probes of this repository may not ask the target ${name}`,
        hint: 'Add it to `allow.targets` of the repository in plumbline.yaml, if they should.',
      })
    },
    resolve,
    addresses: () => Object.entries(addresses).flatMap(([name, address]) => (limits === 'everything' || reach.includes(name) ? [address] : [])),
    address: (name) => {
      check(name)
      const address = addresses[name]
      if (address !== undefined) return address
      throw new Failure({
        code: 'address-unknown',
        subject: name,
        message: `environment ${environment.metadata.name} has no address ${name}`,
        hint: `Its addresses: ${Object.keys(addresses).join(', ') || 'none'}.`,
      })
    },
  }
}
