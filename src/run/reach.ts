import { Failure } from '#lib/failure.ts'
import type { Environment } from '#model/config/environment.ts'
import type { Limits } from '#model/config/workspace.ts'
import type { Reach } from '#probes/probe.ts'

export type CheckedReach = Reach & {
  /** Fails with `probe-out-of-reach` unless a probe may aim at the address or target of that name. */
  check(name: string): void
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
