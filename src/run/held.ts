import { asFailure } from '#lib/failure.ts'
import type { RunRow } from '#store/runs.ts'
import { findSnapshot } from '#store/snapshots.ts'
import type { KnownStatus } from '#store/statuses.ts'
import type { Configuration, ConfiguredModule } from './configuration.ts'
import type { Parts } from './parts.ts'

/** Module -> the snapshot that it is held at. */
export type HeldAt = ReadonlyMap<string, string>

export function at(snapshot: string | undefined): { snapshot?: string } {
  return snapshot === undefined ? {} : { snapshot }
}

export function pinnedAt(known: Iterable<Pick<KnownStatus, 'module' | 'pinned'>>): HeldAt {
  return new Map([...known].flatMap(({ module, pinned }) => (pinned === null ? [] : [[module, pinned.snapshot] as const])))
}

/**
 * Where a run takes modules from: what it delivers from where it said when it was made, what it only looks at as that is delivered by now (what Git says since
 * passed no gate, nor did its probes), the rest from where they are pinned by now.
 */
export function heldIn(run: Pick<RunRow, 'modules'>, known: readonly KnownStatus[]): HeldAt {
  const delivered = new Map(known.map((row) => [row.module, row.delivered === null ? null : row.snapshot]))
  const own = Object.entries(run.modules).flatMap(([module, { snapshot, changed }]) => {
    const at = snapshot ?? (changed ? undefined : delivered.get(module))
    return at === undefined || at === null ? [] : [[module, at] as const]
  })
  return new Map([...[...pinnedAt(known)].filter(([module]) => !(module in run.modules)), ...own])
}

/**
 * A configuration in which some modules of an environment are as older snapshots have them: their documents, their sets of probes and the environment's
 * variables of then. All is read from the mirrors: Git may be away. A snapshot that cannot be read says nothing of its modules, and they are not taken
 * from another one instead.
 */
export async function withHeld(parts: Pick<Parts, 'sql' | 'configurations' | 'log'>, configuration: Configuration, environment: string, held: HeldAt): Promise<Configuration> {
  if (held.size === 0) return configuration
  const modules = new Map(configuration.modules)
  for (const [name, id] of held) {
    const module = (await moduleAt(parts, id, environment, name)) ?? unreadModule(configuration, name)
    if (module !== undefined) modules.set(name, module)
  }
  return { ...configuration, modules }
}

async function moduleAt({ sql, configurations, log }: Pick<Parts, 'sql' | 'configurations' | 'log'>, id: string, environmentName: string, name: string): Promise<ConfiguredModule | undefined> {
  try {
    const snapshot = await findSnapshot(sql, id)
    const configuration = snapshot === undefined ? undefined : await configurations.of(snapshot)
    const module = configuration?.modules.get(name)
    const environment = configuration?.environments.get(environmentName)
    return snapshot === undefined || configuration === undefined || module === undefined || environment === undefined ? undefined : { ...module, held: { snapshot, configuration, environment } }
  } catch (error) {
    const failure = asFailure(error, `snapshot ${id}`)
    if (failure.code === 'store-unavailable') throw failure
    log(`module ${name}: it is held at ${id}, which cannot be read: ${failure.message}`)
    return undefined
  }
}

function unreadModule({ modules }: Configuration, name: string): ConfiguredModule | undefined {
  const module = modules.get(name)
  return module === undefined ? undefined : { ...module, held: 'unread' }
}
