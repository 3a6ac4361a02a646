import { setTimeout as after } from 'node:timers/promises'

/** Waits until `holds` answers something true, and answers that; fails after `ms`. */
export async function eventually<T>(holds: () => T | Promise<T>, ms = 10_000): Promise<NonNullable<T>> {
  for (const end = Date.now() + ms; ; await after(5)) {
    const found = await holds()
    if (found) return found
    if (Date.now() > end) throw new Error(`it did not hold within ${ms} ms`)
  }
}
