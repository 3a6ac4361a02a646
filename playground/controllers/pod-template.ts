import { digestOf } from '#lib/digest.ts'
import { equalJson } from '#lib/json.ts'
import type { PodTemplate } from './kinds.ts'

/** Empty and absent are the same, as in Kubernetes. */
export const equalTemplates = (a: PodTemplate, b: PodTemplate): boolean => equalJson(withoutEmpty(a), withoutEmpty(b))

const alphabet = 'bcdfghjklmnpqrstvwxz2456789' // Kubernetes' own for generated names: no vowels, no look-alikes

/** A short name for a template, good in a label: equal templates have equal hashes. */
export function templateHash(template: PodTemplate): string {
  const hex = digestOf(withoutEmpty(template)).slice(7)
  return Array.from({ length: 10 }, (_, index) => alphabet[Number.parseInt(hex.slice(index * 4, index * 4 + 4), 16) % alphabet.length]).join('')
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value ?? undefined
  const members = Object.entries(value).flatMap(([key, member]) => {
    const kept = withoutEmpty(member)
    return kept === undefined ? [] : [[key, kept] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}
