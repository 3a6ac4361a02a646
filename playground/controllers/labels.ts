import { digestOf } from '#lib/digest.ts'

export function matchesLabels(wanted: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value)
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789' // Kubernetes' own for generated names: no vowels, no look-alikes

/** A short name for a value, good in a label: equal values have equal hashes. */
export function hashLabel(value: unknown): string {
  const hex = digestOf(value).slice(7)
  return Array.from({ length: 10 }, (_, index) => alphabet[Number.parseInt(hex.slice(index * 4, index * 4 + 4), 16) % alphabet.length]).join('')
}
