import type { Environment } from '#model/config/environment.ts'
import type { Module } from '#model/config/module.ts'
import type { ProbeConfig } from '#model/config/probe.ts'
import { setWithVariables } from '#model/config/substitute.ts'
import type { Limits } from '#model/config/workspace.ts'
import { environmentItself } from '#model/probe-state.ts'
import type { Configuration } from './configuration.ts'
import { limitsOf } from './policy.ts'
import type { Policy } from './policy.ts'

/** A probe, and by whose right it reaches what it asks: that of the repository which declares it. */
export type OwnedProbe = { readonly config: ProbeConfig; readonly owner: { readonly name: string; readonly repository: string; readonly limits: Limits } }

type Owner = OwnedProbe['owner']

/**
 * The probes of a module in an environment: its own by its own right, and those of the sets that it names by the platform's. A module says which sets, and
 * nothing of what is in them. `config`: with variables substituted.
 */
export function probesOfModule(configuration: Configuration, policy: Policy, environment: Environment, owner: Owner, config: Module): OwnedProbe[] {
  const platform = platformOwner(configuration, policy, environment, owner.name)
  const sets = config.spec.probeSets.flatMap((name) => {
    const set = configuration.probeSets.get(name)
    return set === undefined ? [] : setWithVariables(set, environment).map((probe) => ({ config: { ...probe, name: `${name}/${probe.name}` }, owner: platform }))
  })
  return [...config.spec.probes.map((probe) => ({ config: probe, owner })), ...sets]
}

/** Begins the name of a probe of a change as a whole, beside which an environment has probes of its own. */
const ofChange = 'change/'

export function isOfChange(probe: string): boolean {
  return probe.startsWith(ofChange)
}

/** What shows that an environment itself works, and a change of it as a whole, as it was accepted: by the platform's right. */
export function probesOfEnvironment(configuration: Configuration, policy: Policy, environment: Environment): { readonly own: OwnedProbe[]; readonly change: OwnedProbe[] } {
  const owner = platformOwner(configuration, policy, environment, environmentItself)
  return {
    own: policy.probes.map((config) => ({ config, owner })),
    change: policy.changeProbes.map((config) => ({ config: { ...config, name: `${ofChange}${config.name}` }, owner })),
  }
}

export function platformOwner({ workspace }: Configuration, policy: Policy, environment: Environment, name: string): Owner {
  const repository = Object.entries(workspace.spec.repositories).find(([, { url }]) => url === '.')?.[0] ?? ''
  return { name, repository, limits: limitsOf(policy, environment.metadata.name, repository) }
}
