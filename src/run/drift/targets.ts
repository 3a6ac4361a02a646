import type { Driver, DriverCall } from '#drivers/driver.ts'
import { Failure } from '#lib/failure.ts'
import type { Environment, TargetConfig } from '#model/config/environment.ts'
import { enqueueAll } from '#store/queue.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import type { Configuration } from '../configuration.ts'
import { modulesIn } from '../configuration.ts'
import type { Parts } from '../parts.ts'
import { inForce } from '../policy.ts'

/** What is watched together: what one driver delivers to one target of an environment. */
export type TargetName = { readonly environment: string; readonly target: string; readonly driver: string }

export function watchKey({ environment, target, driver }: TargetName): string {
  return `watch/${environment}/${target}/${driver}`
}

export function targetOfKey(key: string): TargetName {
  const [, environment = '', target = '', driver = ''] = key.split('/')
  return { environment, target, driver }
}

/** A target as the newest snapshot has it. */
export type Target = TargetName & { readonly config: TargetConfig; readonly spec: Environment; readonly configuration: Configuration; readonly via: Driver }

/** Says that every target which something is, or was, delivered to is to be watched. Who watches one already goes on. */
export async function watchAll(parts: Parts): Promise<void> {
  const configuration = await newestConfiguration(parts)
  if (configuration === undefined) return
  const keys = new Set<string>()
  for (const [environment, document] of configuration.environments) {
    const { spec } = await inForce(parts.sql, document, configuration)
    const specs = [...[...modulesIn(configuration, environment).values()].map(({ config }) => config.spec), ...(await statuses(parts.sql, environment))]
    for (const { target, driver } of specs) if (target in spec.targets && parts.drivers.some(({ id }) => id === driver)) keys.add(watchKey({ environment, target, driver }))
  }
  await enqueueAll(parts.sql, parts.clock, [...keys])
}

/** Undefined where the newest snapshot has it no more. */
export async function findTarget(parts: Parts, name: TargetName): Promise<Target | undefined> {
  const configuration = await newestConfiguration(parts)
  const document = configuration?.environments.get(name.environment)
  const via = parts.drivers.find(({ id }) => id === name.driver)
  if (configuration === undefined || document === undefined || via === undefined) return undefined
  // What is delivered to is what was accepted.
  const spec = await inForce(parts.sql, document, configuration)
  const config = spec.spec.targets[name.target]
  return config === undefined ? undefined : { ...name, config, spec, configuration, via }
}

export async function newestConfiguration(parts: Parts): Promise<Configuration | undefined> {
  const snapshot = await newestSnapshot(parts.sql)
  return snapshot === undefined ? undefined : parts.configurations.of(snapshot)
}

/** A driver’s surroundings while it only looks. */
export async function lookingCall(parts: Parts, target: Target, signal: AbortSignal): Promise<DriverCall> {
  return {
    clients: { kubernetes: await parts.kubernetes(target.config) },
    clock: parts.clock,
    signal,
    assertLease: () => Promise.reject(new Error('who watches changes nothing')),
    secretDigest: parts.secretDigest,
  }
}

/** The newest configuration, for who can do nothing without. Failure `workspace-missing`. */
export async function knownConfiguration(parts: Parts): Promise<Configuration> {
  const configuration = await newestConfiguration(parts)
  if (configuration !== undefined) return configuration
  throw new Failure({ code: 'workspace-missing', subject: 'workspace', message: 'nothing was read of it yet', hint: 'plumb status tells how its repositories stand.', retry: 'later' })
}
