import { asFailure } from '#lib/failure.ts'
import type { StatusView } from '#model/api/views.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { brokenModule } from './configuration.ts'
import { goneEnvironments, knownEnvironments } from './gone-environment.ts'
import type { Parts } from './parts.ts'
import { inForce } from './policy.ts'
import { viewStatus } from './views.ts'

/**
 * Everything that a caller may look at. Where what the newest snapshot says cannot be read, it is a problem that is told, beside how every environment that is
 * known here stood last: that nothing can be read is not that nothing is there.
 */
export async function statusNow({ sql, clock, configurations }: Parts, sees: (environment: string) => boolean): Promise<StatusView> {
  const snapshot = await newestSnapshot(sql)
  const found = snapshot === undefined ? undefined : await configurations.of(snapshot).catch((error: unknown) => asFailure(error, `snapshot ${snapshot.id}`))
  const configuration = found instanceof Error ? undefined : found
  const all = configuration === undefined ? await knownEnvironments(sql) : [...(await Promise.all([...configuration.environments.values()].map((one) => inForce(sql, one, configuration)))), ...(await goneEnvironments(sql, configuration))]
  const isGone = (name: string): boolean => configuration?.environments.has(name) === false
  const brokenOf = (module: string, repository: string) => (configuration === undefined ? undefined : brokenModule(configuration, module, repository))
  const status = await viewStatus(sql, configuration?.workspace.metadata.name ?? '', all.filter((one) => sees(one.metadata.name)), isGone, brokenOf, clock.now())
  return found instanceof Error && status.problems.length === 0 ? { ...status, problems: [found.toJSON()] } : status
}
