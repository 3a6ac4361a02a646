import { Failure } from '#lib/failure.ts'
import type { Held, Observation } from '#model/plan.ts'
import { endCreation } from '#store/begun.ts'
import type { Begun } from '#store/begun.ts'
import { hold } from '#store/inventory.ts'
import { guarded } from './guarded.ts'
import type { Bound, Work } from './work.ts'

/** After so long no server is still at work on a request whose connection is gone: what is not there by then was never made. */
const patienceMs = 300_000

/**
 * What our own creations made whose answer never came: it goes into the inventory before anything is planned with it. What is there and is not provably
 * ours stays with whoever made it.
 */
export async function recognised(work: Work, bound: Bound, begun: readonly Begun[], observations: readonly Observation[], held: readonly Held[]): Promise<Held[]> {
  const { sql, clock } = work.parts
  const rows: Held[] = []
  for (const one of begun) {
    const { place, key } = one
    const seen = observations.find((observation) => observation.key === key)
    if (seen?.state === 'absent' && !work.dry && one.at + patienceMs < clock.now()) await endCreation(sql, place, key)
    if (seen?.state !== 'present' || [...held, ...rows].some((row) => row.place === place && row.key === key && row.uid === seen.uid)) continue
    const found = await bound.driver.recognise(bound.call, one.effect, one.declared)
    if (found.state === 'unknown') throw new Failure(found.failure)
    if (found.state !== 'applied' || found.uid === undefined || one.effect.desired === undefined) continue
    const row: Held = { place, key, uid: found.uid, environment: one.environment, module: one.module, desired: one.effect.desired, fields: found.fields, run: one.run }
    rows.push(row)
    // Who only asks writes nothing down.
    if (work.dry) continue
    await guarded(work, async (tx) => {
      await hold(tx, row)
      await endCreation(tx, place, key)
    })
  }
  return rows
}
