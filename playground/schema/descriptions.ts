import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What a model and its fields are for; the model itself is under the empty name. */
export type Descriptions = ReadonlyMap<string, string>

const folder = new URL('gen/models/', import.meta.resolve('@kubernetes/client-node'))

/**
 * Reads the descriptions of a model of built-in kinds (`V1Container`) from the comments of the client's type declarations, so that `kubectl explain`
 * has something to say. They are read when they are asked for, not kept here. Empty where there are none.
 */
export function descriptionsOf(model: string): Descriptions {
  const path = fileURLToPath(new URL(`${model}.d.ts`, folder))
  const descriptions = new Map<string, string>()
  if (!/^\w+$/.test(model) || !existsSync(path)) return descriptions
  const text = readFileSync(path, 'utf8')
  for (const [, comment, field] of text.matchAll(/\/\*\*\n\s*\* (.*)\n\s*\*\/\n(?:export declare class|\s*'([^']+)'\??:)/g)) {
    descriptions.set(field?.replace(/^_/, '') ?? '', (comment as string).replaceAll(/\\(['"])/g, '$1'))
  }
  return descriptions
}
