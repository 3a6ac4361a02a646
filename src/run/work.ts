import type { Driver, DriverCall } from '#drivers/driver.ts'
import { Failure } from '#lib/failure.ts'
import type { Environment, TargetConfig } from '#model/config/environment.ts'
import type { Plan } from '#model/plan.ts'
import type { Claim } from './claim.ts'
import type { RunRow } from '#store/runs.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { Configuration } from './configuration.ts'
import type { Parts } from './parts.ts'
import { placeOf } from './place.ts'
import { policyIn } from './policy.ts'
import type { Policy } from './policy.ts'

/** A run while somebody works on it. */
export type Work = {
  readonly parts: Parts
  readonly claim: Claim
  readonly run: RunRow
  readonly snapshot: SnapshotRow
  /** What the rest of the environment is as, beside the run's modules: for a rollback the newest snapshot, and else the run's own. */
  readonly beside: SnapshotRow
  readonly configuration: Configuration
  /** As the policy in force has it. */
  readonly environment: Environment
  /** What is in force: what was last accepted. */
  readonly policy: Policy
  /** What is delivered, and nothing tells whether it is ready: `<module>\n<key>`. */
  readonly untold: Set<string>
  /** The path with apply left out: somebody only wants to know. */
  readonly dry: boolean
  /** What other runs had done to its modules when it was taken up: what its plan stands on. */
  readonly standsOn: string
  /** The plan whose effects have begun. */
  readonly underWay: Plan | undefined
  /** Ends the run for a failure that is final; throws what the queue should try again. */
  readonly stopped: (error: unknown) => Promise<void>
}

/** A driver and where it works. */
export type Bound = {
  readonly driver: Driver
  readonly call: DriverCall
  readonly target: string
  /** The place behind the target, asked for once. */
  readonly place: () => Promise<string>
}

/** Failure `driver-unknown`. */
export function driverOf(parts: Pick<Parts, 'drivers'>, module: string, id: string): Driver {
  const driver = parts.drivers.find((candidate) => candidate.id === id)
  if (driver !== undefined) return driver
  throw new Failure({
    code: 'driver-unknown',
    subject: `module ${module}`,
    message: `there is no driver ${id}`,
    hint: `Known drivers: ${parts.drivers.map((one) => one.id).join(', ')}.`,
  })
}

/** The driver of a module, bound to the module's target in the run's environment. Failures `driver-unknown`, `target-unknown`. */
export async function bind(work: Work, module: string, driverId: string, target: string, signal: AbortSignal): Promise<Bound> {
  const driver = driverOf(work.parts, module, driverId)
  const config = work.environment.spec.targets[target]
  if (config === undefined) {
    const isToCome = Object.hasOwn(policyWanted(work)?.targets ?? {}, target)
    throw new Failure({
      code: 'target-unknown',
      subject: `module ${module}`,
      message: `environment ${work.run.environment} has no target ${target}${isToCome ? ' yet: a change of its policy waits to be accepted' : ''}`,
      hint: isToCome ? `plumb status -e ${work.run.environment}` : `Its targets: ${Object.keys(work.environment.spec.targets).join(', ')}.`,
    })
  }
  const call: DriverCall = {
    clients: { kubernetes: await work.parts.kubernetes(config) },
    clock: work.parts.clock,
    signal,
    assertLease: () => work.claim.assertLease(),
    secretDigest: work.parts.secretDigest,
  }
  let place: Promise<string> | undefined
  return { driver, call, target, place: () => (place ??= placeOf(work.parts, driver, call, target)) }
}

/** A target by its name. Failure `target-unknown`. */
export function targetOf(environment: Environment, target: string, subject: string): TargetConfig {
  const config = environment.spec.targets[target]
  if (config !== undefined) return config
  throw new Failure({ code: 'target-unknown', subject, message: `environment ${environment.metadata.name} has no target ${target}`, hint: `Its targets: ${Object.keys(environment.spec.targets).join(', ')}.` })
}

/** The policy that the run's snapshot has, in force or not; none where it no longer has the environment. */
export function policyWanted({ configuration, run }: Pick<Work, 'configuration' | 'run'>): Policy | undefined {
  const environment = configuration.environments.get(run.environment)
  return environment === undefined ? undefined : policyIn(environment, configuration)
}
