import { Failure } from '#lib/failure.ts'
import type { Held } from '#model/plan.ts'
import type { PlannedModule } from '#plan/plan.ts'
import { begunAt } from '#store/begun.ts'
import { heldAt } from '#store/inventory.ts'
import { recognised } from './recognised.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Bound, Work } from './work.ts'

/** One module as it is wanted, held and observed now. */
export async function planModule(work: Work, bound: Bound, name: string, intent: ModuleIntent | undefined, own: readonly Held[]): Promise<{ module: PlannedModule; rows: Held[] }> {
  const place = await bound.place()
  const desired = intent?.shown ?? []
  const wanted = desired.map((one) => one.key)
  const begun = await begunAt(work.parts.sql, place, wanted, work.run.environment, name)
  const keys = [...new Set([...wanted, ...own.map((row) => row.key), ...begun.map((one) => one.key)])]
  const spec = intent?.config.spec
  const observations = await bound.driver.observe(bound.call, keys, intent?.desired ?? [])
  // A plan on a guess is none. Who only asks is told.
  const unknown = work.dry ? undefined : observations.find((one) => one.state === 'unknown' && one.failure.retry !== 'never')
  if (unknown?.state === 'unknown') throw new Failure(unknown.failure)
  const known = [...own, ...(await heldAt(work.parts.sql, place, wanted))]
  const rows = [...known, ...(await recognised(work, bound, begun, observations, known))]
  return {
    module: {
      name,
      track: spec?.track ?? 'declarative',
      driver: bound.driver.id,
      target: bound.target,
      place,
      dependsOn: spec?.dependsOn ?? [],
      takeOver: spec?.takeOver ?? false,
      desired,
      observations,
    },
    rows,
  }
}
