import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { loadConfiguration, parseCache } from '#model/config/load.ts'
import type { LoadedConfiguration, LoadedModule } from '#model/config/load.ts'
import type { Environment } from '#model/config/environment.ts'
import type { Operation } from '#model/config/operation.ts'
import type { ProbeSet } from '#model/config/probe-set.ts'
import type { Workspace } from '#model/config/workspace.ts'
import type { Snapshot } from '#model/snapshot.ts'
import type { SnapshotRow } from '#store/snapshots.ts'
import type { z } from 'zod'
import type { Repositories } from './repositories.ts'

/** A module, as its repository has it; or as an older snapshot has it that it is held at, with what was around it then. */
export type ConfiguredModule = LoadedModule & { readonly held?: { readonly snapshot: SnapshotRow; readonly configuration: Configuration; readonly environment: Environment } | 'unread' }

/** What a snapshot says, as a whole. Equal for equal snapshots. */
export type Configuration = {
  readonly workspace: Workspace
  readonly environments: ReadonlyMap<string, Environment>
  readonly probeSets: ReadonlyMap<string, ProbeSet>
  readonly operations: ReadonlyMap<string, Operation>
  readonly modules: ReadonlyMap<string, ConfiguredModule>
  /** What is wrong with it: what is broken is left out of `modules`, and is not taken for removed. */
  readonly problems: readonly FailureJson[]
  readonly broken: LoadedConfiguration['broken']
}

/** The modules that an environment has, by name. */
export function modulesIn(configuration: Configuration, environment: string): Map<string, ConfiguredModule> {
  return new Map([...configuration.modules].filter(([, module]) => module.config.spec.environments?.includes(environment) ?? true))
}

/** What is wrong with a module that is known, and that the snapshot has no whole document of. */
export function brokenModule(configuration: Configuration, module: string, repository: string): FailureJson | undefined {
  if (configuration.modules.get(module)?.repository === repository) return undefined
  const here = configuration.broken.filter((one) => one.repository === repository)
  // A file that names it says more than one that nobody can read.
  const broken = here.find((one) => one.names?.includes(module) === true) ?? here.find((one) => one.names === undefined)
  return broken?.file === undefined ? broken?.failure : configuration.problems.find(({ fields }) => fields?.['repository'] === repository && fields['file'] === broken.file)
}

const remembered = 8

/** The configurations of the newest snapshots, read once. */
export class Configurations {
  readonly #repositories: Repositories
  readonly #probes: Readonly<Record<string, z.ZodType>>
  readonly #parsed = parseCache()
  readonly #kept = new Map<string, Promise<Configuration>>()

  constructor(repositories: Repositories, probes: Readonly<Record<string, z.ZodType>>) {
    this.#repositories = repositories
    this.#probes = probes
  }

  /**
   * Failure `configuration-invalid` when the workspace or an environment is broken: such a snapshot is not delivered at all. `snapshot-unread` when the
   * workspace's commit is not at hand; of another repository that is not, nothing is known, and it stops no other.
   */
  of(snapshot: Snapshot): Promise<Configuration> {
    const known = this.#kept.get(snapshot.id)
    if (known !== undefined) return known
    const loading = this.#load(snapshot)
    this.#kept.set(snapshot.id, loading)
    // What a repository that is not at hand says is not known yet, and is not to be remembered as nothing.
    const forget = (): void => void (this.#kept.get(snapshot.id) === loading && this.#kept.delete(snapshot.id))
    loading.then(({ broken }) => (broken.some((one) => one.file === undefined && one.failure === undefined) ? forget() : undefined), forget)
    for (const id of [...this.#kept.keys()].slice(0, -remembered)) this.#kept.delete(id)
    return loading
  }

  async #load(snapshot: Snapshot): Promise<Configuration> {
    const own = this.#repositories.workspaceName()
    const readers = Object.entries(this.#repositories.readers(snapshot))
    const here = await Promise.all(readers.map(async (one) => ((await this.#repositories.has(one[0], snapshot.commits[one[0]] ?? '')) ? [one] : [])))
    const atHand = Object.fromEntries(here.flat())
    if (own in snapshot.commits && !(own in atHand)) throw unread(snapshot, own)
    return loadConfiguration(atHand, own, this.#probes, this.#parsed)
  }
}

function unread({ id, commits }: Snapshot, repository: string): Failure {
  return new Failure({
    code: 'snapshot-unread',
    subject: `snapshot ${id}`,
    message: `its commit ${(commits[repository] ?? '').slice(0, 8)} of ${repository} is not on this machine, and the repository has not been read since`,
    hint: '`plumb status` says whether the repository answers. What is delivered stays as it is; all goes on by itself when the repository is read again, or its mirror is restored.',
    retry: 'later',
  })
}
