import { isAlias, isCollection, isMap, isScalar, isSeq } from 'yaml'
import type { Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { equalJson, isObject } from '../json.ts'
import type { Json } from '../json.ts'
import type { YamlPath } from '../yaml-locate.ts'
import { insertItem, insertPair, writePair } from './insert.ts'
import { isMerge, jsonOf, keyOf, walk } from './open.ts'
import type { Splice, YamlText } from './open.ts'
import { columnOf, endOf, isFlow, lineStart, markOf, rangeOf, startOf } from './places.ts'
import { cut } from './remove.ts'
import { quotesOf, styleIn, writeLiteral, writeScalar, writeValue } from './write.ts'
import type { Style } from './write.ts'

/**
 * The changes that make a path of a document hold a value, and nothing else of the text another. What is missing on the way is made: maps for
 * keys, a list's next item for its length. Undefined where something else stands in the way, or the value cannot be written there.
 */
export function setYaml(yaml: YamlText, document: Document, path: YamlPath, value: Json): Splice[] | undefined {
  const { steps, node, left } = walk(document, path)
  const last = steps.at(-1)
  if (last === undefined) return undefined
  if (node !== undefined && left.length === 0) return replace(yaml, document, last.node, last.at, value)
  if (last.at !== -1) {
    // The path goes on in a value that is no collection: one that is empty can become one.
    if (jsonOf(node, document) !== null) return undefined
    const made = build(left, value)
    return made === undefined ? undefined : write(yaml, last.node, last.at, made)
  }
  const [segment, ...below] = left
  const made = build(below, value)
  if (made === undefined || segment === undefined) return undefined
  if (isMap(last.node)) return typeof segment === 'string' ? [insertPair(yaml, last.node, segment, made, siblingQuotes(last.node))] : undefined
  return segment === last.node.items.length ? [insertItem(yaml, last.node, made)] : undefined
}

/** The same for a whole document, given what it is to hold: only what differs is written. */
export function changeYaml(yaml: YamlText, document: Document, value: Json): Splice[] | undefined {
  const root = document.contents as Node | null
  if (isMap(root) && isObject(value)) return replaceMap(yaml, document, root, value)
  return isSeq(root) && Array.isArray(value) ? replaceList(yaml, document, root, value) : undefined
}

/** The quotes that all of a map's texts have: what joins them is written the same. */
function siblingQuotes(map: YAMLMap): Style['quotes'] {
  const [first, ...rest] = map.items.map((pair) => quotesOf(pair.value as Node))
  return first !== undefined && rest.every((other) => other === first) ? first : 'none'
}

function build(path: YamlPath, value: Json): Json | undefined {
  let made = value
  for (const segment of path.toReversed()) {
    if (typeof segment === 'number' && segment !== 0) return undefined
    made = typeof segment === 'number' ? [made] : { [segment]: made }
  }
  return made
}

function replace(yaml: YamlText, document: Document, parent: YAMLMap | YAMLSeq, index: number, value: Json): Splice[] | undefined {
  const node = valueOf(parent, index)
  const present = jsonOf(node, document)
  if (present !== undefined && equalJson(present, value)) return []
  if (isMap(node) && isObject(value)) return replaceMap(yaml, document, node, value) ?? write(yaml, parent, index, value)
  if (isSeq(node) && Array.isArray(value)) return replaceList(yaml, document, node, value) ?? write(yaml, parent, index, value)
  if (isScalar(node) && typeof value !== 'object') return [replaceScalar(yaml, parent, index, node, value)]
  return write(yaml, parent, index, value)
}

/** Only what differs is written; what comes takes the place of what goes. Undefined where that would leave nothing, or cannot be done pair by pair. */
function replaceMap(yaml: YamlText, document: Document, map: YAMLMap, value: Record<string, Json>): Splice[] | undefined {
  const present = jsonOf(map, document)
  const known = new Set(map.items.map(keyOf))
  // What a merge key brings cannot be left out here; another value can be written over it.
  if (!isObject(present) || Object.keys(present).some((key) => !known.has(key) && !Object.hasOwn(value, key))) return undefined
  const isMerged = (key: string, member: Json): boolean => Object.hasOwn(present, key) && equalJson(present[key], member)
  const added = Object.entries(value).filter(([key, member]) => !known.has(key) && !isMerged(key, member))
  const splices: Splice[] = []
  let kept = 0
  for (const [index, pair] of map.items.entries()) {
    const key = keyOf(pair)
    if (isMerge(pair) || Object.hasOwn(value, key)) kept += 1
    if (isMerge(pair)) continue
    const changed = Object.hasOwn(value, key) ? replace(yaml, document, map, index, value[key] ?? null) : one(instead(yaml, map, index, added.shift()))
    if (changed === undefined) return undefined
    splices.push(...changed)
  }
  if (kept === 0) return undefined
  return [...splices, ...added.map(([key, member]) => insertPair(yaml, map, key, member, siblingQuotes(map)))]
}

function instead(yaml: YamlText, map: YAMLMap, index: number, added: [string, Json] | undefined): Splice | undefined {
  if (added === undefined) return cut(yaml, map, index)
  const [start, end] = [startOf(map, index), endOf(map, index)]
  const isBlock = yaml.text[end - 1] === '\n' && !isFlow(map)
  return { start, end: isBlock ? end - yaml.eol.length : end, text: writePair(yaml, map, ...added, siblingQuotes(map)) }
}

/** What is equal at both ends stays; between, items change place by place, and the rest comes or goes. */
function replaceList(yaml: YamlText, document: Document, list: YAMLSeq, value: readonly Json[]): Splice[] | undefined {
  const present = list.items.map((item) => jsonOf(item, document) ?? null)
  if (present.length === 0 || value.length === 0) return undefined
  let before = 0
  while (before < Math.min(present.length, value.length) && equalJson(present[before], value[before])) before += 1
  let behind = 0
  while (behind < Math.min(present.length, value.length) - before && equalJson(present.at(-1 - behind), value.at(-1 - behind))) behind += 1
  const [olds, news] = [present.length - before - behind, value.length - before - behind]
  if (news > olds && behind > 0) return undefined
  const splices: Splice[] = []
  for (let index = before; index < before + Math.min(olds, news); index += 1) {
    const changed = replace(yaml, document, list, index, value[index] ?? null)
    if (changed === undefined) return undefined
    splices.push(...changed)
  }
  for (let index = before + news; index < before + olds; index += 1) {
    const splice = cut(yaml, list, index)
    if (splice === undefined) return undefined
    splices.push(splice)
  }
  const quotes = quotesOf(list.items.at(-1) as Node)
  for (const item of value.slice(before + olds, before + news)) splices.push(insertItem(yaml, list, item, quotes))
  return splices
}

function replaceScalar(yaml: YamlText, parent: YAMLMap | YAMLSeq, index: number, node: Scalar, value: Exclude<Json, object> | null): Splice {
  const style = { ...styleIn(parent, columnOf(parent), yaml.eol), quotes: quotesOf(node) }
  const [start, end] = rangeOf(node) ?? [0, 0]
  if (start === end) return emptied(parent, index, ` ${writeScalar(value, style)}`)
  if (typeof value === 'string' && (node.type === 'BLOCK_LITERAL' || (value.includes('\n') && node.type === 'PLAIN'))) {
    const literal = writeLiteral(value, { ...style, indent: literalIndent(yaml, parent, node) })
    if (literal !== undefined) return { start, end, text: node.type === 'BLOCK_LITERAL' ? underHeader(yaml, start, end, literal) : literal }
  }
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
  return { start, end, text: writeScalar(value, style) + (isBlock && yaml.text[end - 1] === '\n' ? yaml.eol : '') }
}

/** A block of text keeps the comment behind its `|`, and the line end behind its last line. */
function underHeader(yaml: YamlText, start: number, end: number, literal: string): string {
  const [written = ''] = yaml.text.slice(start, end).split(/\r?\n/, 1)
  const header = literal.slice(0, literal.indexOf(yaml.eol))
  const comment = /^\S*(\s+#.*)$/.exec(written)?.[1] ?? ''
  return `${header}${comment}${literal.slice(header.length)}${yaml.text[end - 1] === '\n' ? yaml.eol : ''}`
}

/** A block of text keeps the column that its lines have. */
function literalIndent(yaml: YamlText, parent: YAMLMap | YAMLSeq, node: Scalar): number {
  const [start, end] = rangeOf(node) ?? [0, 0]
  const line = node.type === 'BLOCK_LITERAL' ? yaml.text.slice(start, end).split('\n').slice(1).find((one) => one.trim() !== '') : undefined
  return line === undefined ? columnOf(parent) + 2 : line.length - line.trimStart().length
}

/** Writes a value where one of another sort stood. */
function write(yaml: YamlText, parent: YAMLMap | YAMLSeq, index: number, value: Json): Splice[] | undefined {
  const node = valueOf(parent, index)
  const style = styleIn(parent, columnOf(parent), yaml.eol)
  const written = writeValue(value, style, isMap(parent) ? 'key' : 'dash')
  const range = rangeOf(node)
  if (range === undefined || range[0] === range[1]) return [emptied(parent, index, written)]
  // A block collection's range ends behind the comments that follow it: they stay.
  const end = isCollection(node) && !isFlow(node as YAMLMap) ? blockEnd(node as YAMLMap) : range[1]
  const mark = isMap(parent) ? markOf(parent, index) : undefined
  if (isFlow(parent) || isAlias(node)) return [{ start: range[0], end, text: written.trimStart() }]
  const from = mark === undefined ? (isSeq(parent) ? startOf(parent, index) + 1 : undefined) : mark.offset + 1
  if (from === undefined || yaml.text.slice(from, range[0]).includes('#')) return undefined
  const closes = yaml.text[end - 1] === '\n' && end > lineStart(yaml.text, end - 1) ? yaml.eol : ''
  return [{ start: from, end, text: written + closes }]
}

function blockEnd(node: YAMLMap | YAMLSeq): number {
  const item = valueOf(node, node.items.length - 1)
  if (isCollection(item) && !isFlow(item as YAMLMap)) return blockEnd(item as YAMLMap)
  return rangeOf(item)?.[1] ?? startOf(node, node.items.length - 1)
}

function emptied(parent: YAMLMap | YAMLSeq, index: number, written: string): Splice {
  const mark = isMap(parent) ? markOf(parent, index) : undefined
  const at = mark === undefined ? startOf(parent, index) + 1 : mark.offset + 1
  return { start: at, end: at, text: written }
}

function valueOf(parent: YAMLMap | YAMLSeq, index: number): Node | null {
  const item = parent.items[index]
  return (isMap(parent) ? (item as { value: Node | null }).value : item) as Node | null
}

function one(splice: Splice | undefined): Splice[] | undefined {
  return splice === undefined ? undefined : [splice]
}
