import { Failure } from '#lib/failure.ts'
import { didYouMean } from '#lib/nearest.ts'
import { modulesIn } from '#run/configuration.ts'
import type { Configuration } from '#run/configuration.ts'
import type { Parts } from '#run/parts.ts'
import { knownEnvironments, knownModules, wasModule } from '#store/known-names.ts'
import { newestSnapshot } from '#store/snapshots.ts'

export type Names = { readonly environment: string | undefined; readonly module: string | undefined }

/**
 * An empty answer says that nothing happened: to a name that is written wrongly it would be a lie. Refuses an environment or a module that the workspace does
 * not have and of which the store keeps nothing either. Whatever cannot be read proves nothing: then, and before the first snapshot, any name goes.
 * Failures `environment-unknown`, `module-unknown`.
 */
export async function expectKnown(parts: Parts, { environment, module }: Names, sees: (environment: string) => boolean): Promise<void> {
  if (environment === undefined && module === undefined) return
  const snapshot = await newestSnapshot(parts.sql)
  const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot).catch(() => undefined)
  if (configuration === undefined) return
  const own = [...configuration.environments.keys()].filter(sees)
  // The store is asked only for what Git does not have: that means reading all of its runs.
  const isOwn = environment === undefined || own.includes(environment)
  if (isOwn && (module === undefined || isBroken(configuration, module) || modulesOf(configuration, own).includes(module))) return
  const environments = [...new Set([...own, ...(await knownEnvironments(parts.sql)).filter(sees)])]
  if (environment !== undefined && !environments.includes(environment)) throw unknown('environment', environment, environments)
  if (module === undefined || isBroken(configuration, module)) return
  const modules = [...new Set([...modulesOf(configuration, own), ...(await knownModules(parts.sql, environments))])].sort()
  if (!modules.includes(module) && !(await wasModule(parts.sql, environments, module))) throw unknown('module', module, modules)
}

function modulesOf(configuration: Configuration, environments: readonly string[]): string[] {
  return environments.flatMap((name) => [...modulesIn(configuration, name).keys()])
}

/** Of a file that cannot be read nobody knows which modules it has. */
function isBroken({ broken }: Configuration, module: string): boolean {
  return broken.some(({ names }) => names === undefined || names.includes(module))
}

function unknown(what: 'environment' | 'module', name: string, known: readonly string[]): Failure {
  const all = known.length === 0 ? `There is no ${what} yet.` : `Known here: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ` and ${known.length - 20} more` : ''}.`
  return new Failure({
    code: `${what}-unknown`,
    subject: `${what} ${name}`,
    message: `the workspace has no such ${what}, nor is anything known of one`,
    hint: [didYouMean(name, known).hint, all].filter((part) => part !== undefined).join(' '),
  })
}
