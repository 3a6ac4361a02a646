import type { Driver, DriverCall } from '#drivers/driver.ts'
import { Failure } from '#lib/failure.ts'
import { placeAt, rememberPlace } from '#store/places.ts'
import type { Parts } from './parts.ts'

/**
 * The place behind a target: what the inventory is keyed by, so that it must never be another for the same place. What could be told once is remembered, and
 * holds where it may not be read any more. A place that could never be told has no name: one made up for it would change when rights do. Failure `place-unknown`.
 */
export async function placeOf({ sql }: Pick<Parts, 'sql'>, driver: Driver, call: DriverCall, target: string): Promise<string> {
  const { address, place } = await driver.identify(call)
  const known = await placeAt(sql, driver.id, address)
  if (place !== undefined && place !== known) await rememberPlace(sql, driver.id, address, place)
  const name = place ?? known
  if (name !== undefined) return name
  throw new Failure({
    code: 'place-unknown',
    subject: `target ${target}`,
    message: 'it does not tell which place it is, so that what is held there could not be told from what is elsewhere',
    hint: 'A cluster is known by the uid of its namespace kube-system: let the account get that.',
    retry: 'later',
  })
}
