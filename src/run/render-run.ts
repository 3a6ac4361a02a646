import { digestOf } from '#lib/digest.ts'
import { asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Environment, TargetConfig } from '#model/config/environment.ts'
import type { Module } from '#model/config/module.ts'
import type { Limits } from '#model/config/workspace.ts'
import { keyOf } from '#model/resource.ts'
import type { Desired } from '#model/resource.ts'
import type { Snapshot } from '#model/snapshot.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import type { LoadedModule } from '#model/config/load.ts'
import { renderModule } from '#render/render.ts'
import { modulesIn } from './configuration.ts'
import type { Configuration } from './configuration.ts'
import { probesOfModule } from './owned-probes.ts'
import type { OwnedProbe } from './owned-probes.ts'
import type { Parts } from './parts.ts'
import { limitsOf, policyInForce } from './policy.ts'
import { rememberPlainSecrets, writtenSecrets } from './written-secrets.ts'
import { driverOf } from './work.ts'
import type { Work } from './work.ts'

/** What a module is to be in one environment, at one snapshot. */
export type ModuleIntent = {
  readonly name: string
  readonly repository: string
  readonly file: string
  /** With variables substituted. */
  readonly config: Module
  readonly limits: Limits
  /** What shows that it works: its own probes, and those of the sets that it names. */
  readonly probes: readonly OwnedProbe[]
  /** What it wants. In memory only: a Secret's values are in it. */
  readonly desired: readonly Desired[]
  /** The same as its driver declares it, with keyed digests in place of the values of Secrets: what plans, digests and comparisons are made of. */
  readonly shown: readonly Desired[]
  /** A digest of what is wanted, where, and how it is proven: equal intents need no new run. */
  readonly intent: string
  /** Why it could not be rendered. */
  readonly failure?: FailureJson
}

export type Intents = { readonly modules: ReadonlyMap<string, ModuleIntent> }

export async function renderRun(work: Work): Promise<Intents> {
  // An environment that is gone wants nothing, and an operation asks for nothing new.
  if (work.run.kind === 'prune' || work.run.kind === 'operation') return { modules: new Map() }
  return renderAll(work.parts, work.beside, work.configuration, work.environment, work.claim.signal)
}

/** Renders every module of an environment, each from the snapshot that it is held at, where it is; what was rendered before costs a look at Git ids. One that fails carries its failure, and stops no other. */
export async function renderAll(parts: Parts, snapshot: Snapshot, configuration: Configuration, environment: Environment, signal: AbortSignal): Promise<Intents> {
  const readers = parts.repositories.readers(snapshot)
  const policy = await policyInForce(parts.sql, environment, configuration)
  const modules = new Map<string, ModuleIntent>()
  for (const [name, module] of modulesIn(configuration, environment.metadata.name)) {
    const base = { name, repository: module.repository, file: module.file, limits: limitsOf(policy, environment.metadata.name, module.repository) }
    if (module.held === 'unread') continue
    const from = module.held ?? { configuration, environment }
    try {
      const config = withVariables(module.config, from.environment)
      const reader = (module.held === undefined ? readers : parts.repositories.readers(module.held.snapshot))[module.repository]
      if (reader === undefined) continue
      const path = sourcePath(module, config)
      const { desired: rendered } = await renderModule({ reader, path, spec: config.spec, subject: `module ${name}`, cache: parts.renderCache, tools: parts.tools, signal })
      const desired = [...rendered, ...(await writtenSecrets(parts, module, config, base.limits, signal))]
      if (config.spec.plainSecrets) rememberPlainSecrets(parts, name, rendered)
      const driver = driverOf(parts, name, config.spec.driver)
      const shown = desired.map((one) => driver.declare({ secretDigest: parts.secretDigest }, name, one))
      const probes = probesOfModule(from.configuration, policy, from.environment, base, config)
      modules.set(name, { ...base, config, probes, desired, shown, intent: intentOf(config, probes, policy.targets[config.spec.target], shown) })
    } catch (error) {
      signal.throwIfAborted()
      const failure = asFailure(error, `module ${name}`)
      if (failure.retry === 'now' || failure.code === 'store-unavailable' || failure.code === 'lease-lost') throw failure
      modules.set(name, { ...base, config: module.config, probes: [], desired: [], shown: [], intent: failedIntent(module, failure), failure: failure.toJSON() })
    }
  }
  return { modules }
}

/** A digest of what Git alone says of a module: no secret of another provider and no target of the policy is in it, so that it stays until somebody pushes. */
export function saidByGit({ config, probes, shown }: ModuleIntent): string {
  const written = new Set(config.spec.secrets.map(({ name, namespace = '' }) => keyOf({ group: '', kind: 'Secret', namespace, name })))
  return intentOf(config, probes, undefined, shown.filter(({ key }) => !written.has(key)))
}

/** The same failure at the same commit needs no second run. */
function failedIntent(module: LoadedModule, failure: { code: string; subject: string; message: string }): string {
  return digestOf({ failed: failure.code, subject: failure.subject, message: failure.message, spec: proven(module.config) })
}

function intentOf(config: Module, probes: readonly OwnedProbe[], target: TargetConfig | undefined, shown: readonly Desired[]): string {
  // The module’s own probes are in its spec; those of sets are not.
  const fromSets = probes.slice(config.spec.probes.length).map((probe) => JSON.parse(JSON.stringify(probe.config)) as unknown)
  return digestOf({ desired: shown.map((one) => ({ key: one.key, body: one.body })), spec: proven(config), target, ...(fromSets.length === 0 ? {} : { fromSets }) })
}

/** What a module's document says of what is delivered and how it is proven: what is done about drift is not delivered. */
function proven({ spec }: Module): object {
  return JSON.parse(JSON.stringify({ ...spec, drift: undefined })) as object
}
