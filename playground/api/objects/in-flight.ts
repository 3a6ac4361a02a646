import type { Clock } from '#lib/clock.ts'
import { StillAsking } from '#playground/contract.ts'
import type { Drive } from './in-process.ts'
import { waiting } from './steps.ts'

const rememberedMs = 10_000

/**
 * For controllers, which cannot wait but can come again: a write that a webhook must be asked about goes on by itself, and whoever asked for it is told to ask again
 * then (`StillAsking`). By then an object is there, or what is asked for is refused. One write of a key is under way at a time, so that nothing is made twice.
 */
export function inFlight(clock: Clock): Drive {
  const asking = new Map<string, Promise<void>>()
  const refused = new Map<string, { readonly error: unknown; readonly until: number }>()
  return (key, begin) => {
    const under = asking.get(key)
    if (under !== undefined) throw new StillAsking(under)
    const refusal = refused.get(key)
    refused.delete(key)
    const first = begin().next()
    if (first.done === true) return first.value
    if (refusal !== undefined && refusal.until > clock.now()) throw refusal.error
    const settled = waiting(begin)
      .then(
        () => {},
        (error: unknown) => void refused.set(key, { error, until: clock.now() + rememberedMs }),
      )
      .then(() => void asking.delete(key))
    asking.set(key, settled)
    throw new StillAsking(settled)
  }
}
