import { Failure } from '#lib/failure.ts'
import type { Held } from '#model/plan.ts'
import type { PlannedModule } from '#plan/plan.ts'
import { heldAt } from '#store/inventory.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Bound, Work } from './work.ts'

export async function planModule(work: Work, bound: Bound, name: string, intent: ModuleIntent | undefined, own: readonly Held[]): Promise<{ module: PlannedModule; rows: Held[] }> {
  const place = await bound.place()
  const desired = intent?.shown ?? []
  const wanted = desired.map((one) => one.key)
  const keys = [...new Set([...wanted, ...own.map((row) => row.key)])]
  const spec = intent?.config.spec
  const observations = await bound.driver.observe(bound.call, keys, intent?.desired ?? [])
  // A plan on a guess is none. Who only asks is told.
  const unknown = work.dry ? undefined : observations.find((one) => one.state === 'unknown' && one.failure.retry !== 'never')
  if (unknown?.state === 'unknown') throw new Failure(unknown.failure)
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
    rows: [...own, ...(await heldAt(work.parts.sql, place, wanted))],
  }
}
