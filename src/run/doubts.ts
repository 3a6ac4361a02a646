import { objectAllowed } from '#model/config/limits.ts'
import type { ObjectKey } from '#model/resource.ts'
import type { Doubts } from '#plan/doubts.ts'
import type { Declared } from '#plan/duplicates.ts'
import { statuses } from '#store/statuses.ts'
import { modulesIn } from './configuration.ts'
import { limitsOf } from './policy.ts'
import type { Intents } from './render-run.ts'
import { policyWanted } from './work.ts'
import type { Work } from './work.ts'

/** A module, or a file of them, of which nobody knows what it declares. Without a place it may be any. */
type Unread = { readonly repository: string; readonly place?: string; readonly who: string }

/** What is declared for sure, by a module that does not get it, or at a place that nobody can tell. */
type Loose = { readonly lost: readonly Declared[]; readonly unplaced: readonly { readonly module: string; readonly key: ObjectKey }[] }

/**
 * What nobody knows of the environment: a module that is not rendered, a document that is broken, a repository that is not at hand may declare whatever
 * its repository may have. `placeOf` tells the place behind a target, where that is known.
 */
export async function doubtsOf(work: Work, intents: Intents, { lost, unplaced }: Loose, placeOf: (target: string) => Promise<string | undefined>): Promise<Doubts> {
  const { configuration, run } = work
  const unread = await unreadModules(work, intents, placeOf)
  const rows = new Map((await statuses(work.parts.sql, run.environment)).map((row) => [row.module, row]))
  const isUnlimited = (repository: string | undefined): boolean => repository !== undefined && limitsOf(work.policy, run.environment, repository) === 'everything'
  // What it is about to be allowed counts as well as what it is.
  const policies = [work.policy, policyWanted(work) ?? work.policy]
  const mayHave = (repository: string, key: ObjectKey): boolean => policies.some((policy) => objectAllowed(key, run.environment, limitsOf(policy, run.environment, repository)))
  const whyUnknown = (module: string): string | undefined => {
    const intent = intents.modules.get(module)
    const repository = rows.get(module)?.repository ?? intent?.repository
    if (intent !== undefined && intent.repository === repository) return intent.failure === undefined ? undefined : notRendered(module)
    const isBroken = configuration.broken.some((one) => (repository === undefined || one.repository === repository) && (one.names?.includes(module) ?? true))
    return isBroken || modulesIn(configuration, run.environment).get(module)?.repository === repository ? notReadable(module) : undefined
  }
  return {
    mayDeclare: (place, key) => {
      const rival = lost.find((one) => one.place === place && one.desired.key === key)
      if (rival !== undefined) return `the module ${rival.module}, which is not the only one that does`
      const far = unplaced.find((one) => one.key === key)
      if (far !== undefined) return notReached(far.module)
      return unread.find((one) => (one.place ?? place) === place && mayHave(one.repository, key))?.who
    },
    mayKeep: (holder, heir, key) => {
      // What is limited keeps nothing from the platform, whatever state it is in.
      if (isUnlimited(intents.modules.get(heir)?.repository) && !isUnlimited(rows.get(holder)?.repository ?? intents.modules.get(holder)?.repository)) return undefined
      return whyUnknown(holder) ?? (unplaced.some((one) => one.module === holder && one.key === key) ? notReached(holder) : undefined)
    },
  }
}

async function unreadModules({ configuration, run }: Work, intents: Intents, placeOf: (target: string) => Promise<string | undefined>): Promise<Unread[]> {
  const unread: Unread[] = configuration.broken.map(({ repository, file, names = [] }) => ({
    repository,
    who: file === undefined ? `a module of the repository ${repository}, which is not at hand` : names.length > 0 ? notReadable(names.join(', ')) : `a module in ${repository}/${file}, which is broken`,
  }))
  for (const [name, { repository, config }] of modulesIn(configuration, run.environment)) {
    const intent = intents.modules.get(name)
    if (intent !== undefined && intent.failure === undefined) continue
    const place = await placeOf(config.spec.target)
    unread.push({ repository, who: intent === undefined ? notReadable(name) : notRendered(name), ...(place === undefined ? {} : { place }) })
  }
  return unread
}

const notRendered = (module: string): string => `the module ${module}, which cannot be rendered`
const notReadable = (module: string): string => `the module ${module}, which cannot be read`
const notReached = (module: string): string => `the module ${module}, whose target cannot be reached`
