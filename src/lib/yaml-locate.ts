import { EVENT_ID, getScalarValue } from 'js-yaml'
import { offsetOf, places } from './yaml-places.ts'
import type { Place } from './yaml-places.ts'
import { parseYaml } from './yaml.ts'

export type YamlPath = readonly (string | number)[]

type Level = {
  readonly kind: 'document' | 'sequence' | 'mapping'
  /** Whether the path leads through here; then its segment number `depth` is looked for among the children. */
  readonly isOnPath: boolean
  readonly depth: number
  index: number
  key: string | undefined
  keyOffset: number
}

/**
 * Where a path stands in a YAML text: the value's place, or its key's (`at: 'key'`). Where the path does not exist (a field is missing), the
 * key of the last part that does. It reads the text again, so it is for errors only. The text must be one that `readYaml` read.
 */
export function locateYaml(text: string, documentIndex: number, path: YamlPath, at: 'key' | 'value' = 'value'): Place {
  const levels: Level[] = []
  let document = -1
  let best = 0
  for (const event of parseYaml(text, '')) {
    if (event.type === EVENT_ID.DOCUMENT) {
      document += 1
      levels.push({ kind: 'document', isOnPath: document === documentIndex, depth: 0, index: 0, key: undefined, keyOffset: 0 })
      continue
    }
    if (event.type === EVENT_ID.POP) {
      levels.pop()
      continue
    }
    const level = levels.at(-1)
    if (level === undefined) continue
    const offset = offsetOf(event)
    if (level.kind === 'mapping' && level.key === undefined) {
      level.key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : ''
      level.keyOffset = offset ?? best
      continue
    }
    const segment = level.kind === 'mapping' ? level.key : level.index
    const isOnPath = level.isOnPath && (level.kind === 'document' || segment === path[level.depth])
    const depth = level.kind === 'document' ? 0 : level.depth + 1
    if (isOnPath) {
      // An ancestor is shown by its key: its value begins on a line that says nothing.
      const wantsValue = depth === path.length && at === 'value'
      best = (level.kind === 'mapping' && !wantsValue ? level.keyOffset : offset) ?? level.keyOffset
    }
    level.index += 1
    level.key = undefined
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) {
      levels.push({ kind: event.type === EVENT_ID.MAPPING ? 'mapping' : 'sequence', isOnPath, depth, index: 0, key: undefined, keyOffset: 0 })
    }
  }
  return places(text)(best)
}
