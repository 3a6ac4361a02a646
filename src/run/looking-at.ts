import type { Environment } from '#model/config/environment.ts'
import { withVariables } from '#model/config/substitute.ts'
import { isGood } from '#model/judge-samples.ts'
import { environmentItself } from '#model/probe-state.ts'
import { worst } from '#model/probe.ts'
import type { Verdict } from '#model/probe.ts'
import { probeStates } from '#store/probe-states.ts'
import type { ProbeStateRow } from '#store/probe-states.ts'
import { lastEnd } from '#store/runs.ts'
import { findSnapshot, newestSnapshot } from '#store/snapshots.ts'
import { statuses } from '#store/statuses.ts'
import type { StatusRow } from '#store/statuses.ts'
import type { Configuration } from './configuration.ts'
import { nextLook } from './next-look.ts'
import { isOfChange, probesOfEnvironment, probesOfModule } from './owned-probes.ts'
import type { OwnedProbe } from './owned-probes.ts'
import type { Parts } from './parts.ts'
import { governed, limitsOf, policyInForce } from './policy.ts'
import type { Policy } from './policy.ts'

/** A module, or the environment itself, while it is looked at. */
export type Looking = {
  readonly configuration: Configuration
  readonly environment: Environment
  readonly row: Standing
  /** Those that are asked now. */
  readonly probes: readonly OwnedProbe[]
  /** The names of all that there are. */
  readonly all: readonly string[]
  /** How often it is looked at (ms). */
  readonly every: number
  readonly states: readonly ProbeStateRow[]
}

/** What a look needs of a row of statuses: the environment itself has none, and is as its probes say. */
export type Standing = Pick<StatusRow, 'environment' | 'module' | 'delivered' | 'snapshot' | 'verification' | 'verifiedSince' | 'verifiedAt' | 'movedAt'>

/** Nothing, where there is nothing to ask: it is not delivered, or has no probes. */
export async function lookingAt(parts: Parts, name: string, module: string): Promise<Looking | undefined> {
  const newest = await newestSnapshot(parts.sql)
  if (newest === undefined) return undefined
  const configuration = await parts.configurations.of(newest)
  const written = configuration.environments.get(name)
  if (written === undefined) return undefined
  const policy = await policyInForce(parts.sql, written, configuration)
  const environment = governed(written, policy)
  const base = { configuration, environment, states: await probeStates(parts.sql, name, module) }
  return module === environmentItself ? lookingAtItself(parts, base, policy) : lookingAtModule(parts, base, policy, newest.id, module)
}

type Known = Pick<Looking, 'configuration' | 'environment' | 'states'>

async function lookingAtModule(parts: Parts, known: Known, policy: Policy, newest: string, module: string): Promise<Looking | undefined> {
  const { configuration, environment } = known
  const { name } = environment.metadata
  const [row] = await statuses(parts.sql, name, module)
  if (row === undefined || row.delivered === null || row.snapshot === null) return undefined
  // What was delivered is proven as it was delivered, also by the variables of then; by the rights that its repository has now.
  const then = row.snapshot === newest ? configuration : await configurationOf(parts, row.snapshot)
  const loaded = then?.modules.get(module)
  const written = then?.environments.get(name)
  if (then === undefined || loaded === undefined || written === undefined) return undefined
  const config = withVariables(loaded.config, written)
  const probes = probesOfModule(then, policy, written, { name: module, repository: loaded.repository, limits: limitsOf(policy, name, loaded.repository) }, config)
  if (probes.length === 0) return undefined
  return { ...known, row, probes, all: probes.map((probe) => probe.config.name), every: config.spec.verifyEvery ?? environment.spec.verifyEvery }
}

async function configurationOf(parts: Parts, id: string): Promise<Configuration | undefined> {
  const snapshot = await findSnapshot(parts.sql, id)
  return snapshot === undefined ? undefined : parts.configurations.of(snapshot)
}

/** The environment's own probes; and those of the last change as a whole that did not pass, until they do. */
async function lookingAtItself(parts: Parts, known: Known, policy: Policy): Promise<Looking | undefined> {
  const { configuration, environment, states } = known
  const { own, change } = probesOfEnvironment(configuration, policy, environment)
  const open = change.filter(({ config }) => states.some((state) => state.probe === config.name && !isGood(state)))
  const probes = [...own, ...open]
  if (probes.length === 0) return undefined
  const { name } = environment.metadata
  const row = standingOfItself(name, states, await lastEnd(parts.sql, name))
  return { ...known, row, probes, all: [...own, ...change].map(({ config }) => config.name), every: environment.spec.verifyEvery }
}

export function standingOfItself(environment: string, states: readonly ProbeStateRow[], lastEnd: number | null = null): Standing {
  const verification = states.length === 0 ? 'unknown' : worst(states.map(({ verdict }) => verdict))
  const verifiedAt = states.length === 0 ? null : Math.min(...states.filter(({ probe }) => !isOfChange(probe)).map(({ askedAt }) => askedAt), Infinity)
  const at = verifiedAt === Infinity ? Math.max(...states.map(({ askedAt }) => askedAt)) : verifiedAt
  const verifiedSince = isGood({ verdict: verification }) ? Math.max(...states.map(({ onset }) => onset)) : null
  // What a run changed, it changed underneath.
  const movedAt = lastEnd !== null && at !== null && lastEnd > at ? lastEnd : null
  return { environment, module: environmentItself, delivered: null, snapshot: null, verification, verifiedSince, verifiedAt: at, movedAt }
}

const atMostEvery = 1_000

export function dueAt({ row, every, states }: Looking): number {
  if (row.verifiedAt === null) return 0
  // Who fights over an object all the time has it looked at no more than once a second.
  return row.movedAt === null ? nextAfter(row, every, states, row.verifiedAt) : row.verifiedAt + atMostEvery
}

export function nextAfter(row: Standing, every: number, states: readonly { readonly verdict: Verdict; readonly onset: number }[], at: number): number {
  const onset = Math.min(at, ...states.filter((state) => !isGood(state)).map((state) => state.onset))
  return nextLook({ name: `${row.environment}/${row.module}`, every, at, verdict: worst(states.map(({ verdict }) => verdict)), onset })
}
