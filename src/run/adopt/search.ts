import { Failure } from '#lib/failure.ts'
import { sourcePath, withVariables } from '#model/config/substitute.ts'
import { searchAdoption } from '#render/adopt/adopt.ts'
import type { Answer, Place, Wish } from '#render/adopt/wish.ts'
import type { Configuration } from '../configuration.ts'
import { modulesIn } from '../configuration.ts'
import type { Parts } from '../parts.ts'

export type Declared = { readonly environment: string; readonly module: string }

/** The repository that declares a module which an environment has. Failure `adopt-not-declared`. */
export function repositoryOf(configuration: Configuration, { environment, module }: Declared): string {
  const loaded = modulesIn(configuration, environment).get(module)
  if (loaded !== undefined) return loaded.repository
  throw new Failure({ code: 'adopt-not-declared', subject: `module ${module} in ${environment}`, message: 'the newest snapshot has no such module there', hint: 'plumb status tells what is wrong with it.' })
}

/** Looks for the edit at a commit of the module's repository; all that is rendered from that repository has to stay as it is. */
export async function searchAt(parts: Parts, configuration: Configuration, declared: Declared, wish: Wish, commit: string, signal: AbortSignal): Promise<Answer> {
  const repository = repositoryOf(configuration, declared)
  const places = [...configuration.environments.keys()].flatMap((environment) => placesIn(configuration, environment, repository))
  const place = places.find((one) => one.environment === declared.environment && one.module === declared.module)
  if (place === undefined) throw new Failure({ code: 'adopt-not-declared', subject: `module ${declared.module} in ${declared.environment}`, message: 'its source cannot be told', hint: 'plumb validate tells what is wrong with it.' })
  return searchAdoption({ reader: parts.repositories.reader(repository, commit), place, others: places.filter((one) => one !== place), wish, cache: parts.renderCache, tools: parts.tools, signal })
}

function placesIn(configuration: Configuration, environment: string, repository: string): Place[] {
  const document = configuration.environments.get(environment)
  if (document === undefined) return []
  return [...modulesIn(configuration, environment)].flatMap(([module, loaded]): Place[] => {
    if (loaded.repository !== repository) return []
    const config = substituted(loaded.config, document)
    return config === undefined ? [] : [{ module, environment, path: sourcePath(loaded, config), spec: config.spec }]
  })
}

/** A module whose variables are not declared renders nowhere, whatever is edited. */
function substituted(...[module, environment]: Parameters<typeof withVariables>): ReturnType<typeof withVariables> | undefined {
  try {
    return withVariables(module, environment)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
