import { isMap } from 'yaml'
import type { YAMLMap, YAMLSeq } from 'yaml'
import type { Json } from '../json.ts'
import type { Splice, YamlText } from './open.ts'
import { columnOf, endOf, isFlow, lineEnd, rangeOf } from './places.ts'
import { styleIn, writeKey, writeValue } from './write.ts'
import type { Style } from './write.ts'

/** A new pair behind a map's last one. `quotes`: those of a neighbour that is of the same sort. */
export function insertPair(yaml: YamlText, map: YAMLMap, key: string, value: Json, quotes: Style['quotes'] = 'none'): Splice {
  return put(yaml, map, styleIn(map, columnOf(map), yaml.eol), writePair(yaml, map, key, value, quotes))
}

/** A pair as it is written in that map: `key: value`, without an indentation before it or a line end behind it. */
export function writePair(yaml: YamlText, map: YAMLMap, key: string, value: Json, quotes: Style['quotes'] = 'none'): string {
  const style = { ...styleIn(map, columnOf(map), yaml.eol), quotes }
  return `${writeKey(key, style)}:${writeValue(value, style, 'key')}`
}

/** A new item behind a list's last one. */
export function insertItem(yaml: YamlText, list: YAMLSeq, value: Json, quotes: Style['quotes'] = 'none'): Splice {
  const [first] = list.items
  const style = { ...styleIn(list, columnOf(list), yaml.eol), isJson: isMap(first) && styleIn(first, 0, yaml.eol).isJson, quotes }
  const written = writeValue(value, style, 'dash')
  return put(yaml, list, style, style.isFlow ? written.trimStart() : `-${written}`)
}

function put(yaml: YamlText, node: YAMLMap | YAMLSeq, style: Style, written: string): Splice {
  const last = node.items.length - 1
  if (last < 0) {
    // An empty collection is written `{}` or `[]`; what stands between goes.
    const [start, end] = rangeOf(node) ?? [0, 0]
    const pad = isMap(node) && !style.isJson ? ' ' : ''
    return { start: start + 1, end: end - 1, text: `${pad}${written}${pad}` }
  }
  const end = endOf(node, last)
  if (isFlow(node)) return { start: end, end, text: `, ${written}` }
  const at = lineEnd(yaml.text, end)
  const line = ' '.repeat(style.indent) + written
  return at === end && yaml.text[at - 1] === '\n' ? { start: at, end: at, text: line + yaml.eol } : { start: at, end: at, text: yaml.eol + line }
}
