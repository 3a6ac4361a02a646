import { randomBytes } from 'node:crypto'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford's base 32: no i, l, o, u

/**
 * `<prefix>-` and 14 characters: 9 of time (milliseconds, so that ids sort by their birth), 5 of chance.
 */
export function newId(prefix: string, now: number): string {
  let time = ''
  for (let left = now, index = 0; index < 9; index += 1) {
    time = alphabet[left % 32] + time
    left = Math.floor(left / 32)
  }
  const chance = Array.from(randomBytes(5), (byte) => alphabet[byte % 32]).join('')
  return `${prefix}-${time}${chance}`
}
