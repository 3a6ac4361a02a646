import { isAlias, isCollection, isMap, isPair, isScalar } from 'yaml'
import type { Node, YAMLMap, YAMLSeq } from 'yaml'

type Collection = YAMLMap | YAMLSeq
type Token = { readonly type: string; readonly offset: number; readonly source: string }

export function isFlow(node: Collection): boolean {
  return (node as { flow?: boolean }).flow === true
}

/** The column of a block collection's keys or dashes. */
export function columnOf(node: Collection): number {
  const token = node.srcToken
  return token !== undefined && 'indent' in token ? token.indent : 0
}

/** Where an item or a pair begins: its dash, or its key. */
export function startOf(node: Collection, index: number): number {
  const item = node.items[index] as unknown
  if (!isFlow(node) && !isMap(node)) return tokenOf(node, index, 'start', 'seq-item-ind')?.offset ?? 0
  const first = isPair(item) ? item.key : item
  const properties = tokensOf(node, index, 'start').find((token) => token.type === 'anchor' || token.type === 'tag')
  return properties?.offset ?? rangeOf(first)?.[0] ?? 0
}

/** Where the content of an item or a pair ends: before the comment and the line end behind it; a block of text ends with its last line. */
export function endOf(node: Collection, index: number): number {
  const item = node.items[index] as unknown
  const value = (isPair(item) ? item.value : item) as Node | null
  const range = rangeOf(value)
  if (range !== undefined && range[0] !== range[1]) {
    if (!isCollection(value) || isFlow(value as Collection) || value.items.length === 0) return range[1]
    return endOf(value as Collection, value.items.length - 1)
  }
  // Nothing is written there: it ends with what announces it.
  const mark = isPair(item) ? markOf(node as YAMLMap, index) : tokenOf(node, index, 'start', 'seq-item-ind')
  return mark === undefined ? (rangeOf(isPair(item) ? item.key : item)?.[1] ?? 0) : mark.offset + mark.source.length
}

/** The `:` of a pair. */
export function markOf(node: YAMLMap, index: number): Token | undefined {
  return tokenOf(node, index, 'sep', 'map-value-ind')
}

export function rangeOf(node: unknown): readonly [number, number] | undefined {
  if (!isScalar(node) && !isAlias(node) && !isCollection(node)) return undefined
  return node.range === undefined || node.range === null ? undefined : [node.range[0], node.range[1]]
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** The end of the line, before what ends it; the place itself where it begins a line (behind a block of text). */
export function lineEnd(text: string, at: number): number {
  if (at > 0 && text[at - 1] === '\n') return at
  const end = text.indexOf('\n', at)
  if (end === -1) return text.length
  return text[end - 1] === '\r' && end - 1 >= at ? end - 1 : end
}

function tokensOf(node: Collection, index: number, part: 'start' | 'sep'): readonly Token[] {
  const token = node.srcToken
  if (token === undefined || !('items' in token)) return []
  return ((token.items[index] as { start?: Token[]; sep?: Token[] } | undefined)?.[part] ?? []) as readonly Token[]
}

function tokenOf(node: Collection, index: number, part: 'start' | 'sep', type: string): Token | undefined {
  return tokensOf(node, index, part).find((token) => token.type === type)
}
