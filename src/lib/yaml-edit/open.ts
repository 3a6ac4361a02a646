import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml'
import type { Document, Node, Pair, YAMLMap, YAMLSeq } from 'yaml'
import { isObject } from '../json.ts'
import type { Json, JsonObject } from '../json.ts'
import type { YamlPath } from '../yaml-locate.ts'
import { isUnusable, resolveScalar } from '../yaml-scalars.ts'
import { readYaml } from '../yaml.ts'

/** A change of a text: what stands from `start` to `end` (UTF-16 code units) becomes `text`. */
export type Splice = { readonly start: number; readonly end: number; readonly text: string }

/** A YAML (or JSON) file whose bytes are to be edited: its text without a byte order mark, and where every node of it stands. */
export type YamlText = {
  readonly text: string
  readonly hasMark: boolean
  /** What ends its lines. */
  readonly eol: '\n' | '\r\n'
  /** By the index that `readYaml` gives them. */
  readonly documents: readonly Document.Parsed[]
}

/** Failures of `readYaml`, which is asked first: what is not within its limits is not parsed a second time. */
export function openYaml(bytes: Uint8Array, file: string): YamlText {
  readYaml(bytes, { file, rules: '1.1' })
  const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  const hasMark = whole.startsWith('\u{feff}')
  const text = hasMark ? whole.slice(1) : whole
  const documents = parseAllDocuments(text, { schema: 'failsafe', keepSourceTokens: true, uniqueKeys: false, logLevel: 'silent' })
  return { text, hasMark, eol: /\r\n/.test(text) ? '\r\n' : '\n', documents: Array.isArray(documents) ? documents : [] }
}

/** The text with its changes. They must not overlap; two insertions at one place keep their order. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let result = ''
  let at = 0
  for (const { start, end, text: put } of [...splices].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < at) throw new RangeError('two changes of a text overlap')
    result += text.slice(at, start) + put
    at = end
  }
  return result + text.slice(at)
}

export function bytesOf(yaml: Pick<YamlText, 'hasMark'>, text: string): Buffer {
  return Buffer.from(yaml.hasMark ? `\u{feff}${text}` : text)
}

/** A node as JSON, by the rules of Kubernetes, with what aliases and merge keys bring. Undefined where it has no such value. */
export function jsonOf(node: unknown, document: Document): Json | undefined {
  if (node === null) return null
  if (isAlias(node)) return jsonOf(node.resolve(document) ?? undefined, document)
  if (isScalar(node)) {
    if (node.type !== 'PLAIN' || (node.tag ?? '').endsWith(':str')) return String(node.value)
    const value = resolveScalar(node.source ?? '', '1.1')
    return isUnusable(value) ? undefined : value
  }
  if (isSeq(node)) return node.items.map((item) => jsonOf(item, document) ?? null)
  if (!isMap(node)) return undefined
  const own: JsonObject = {}
  const merged: JsonObject = {}
  for (const pair of node.items) {
    const value = jsonOf(pair.value, document) ?? null
    if (isMerge(pair)) for (const one of Array.isArray(value) ? value.toReversed() : [value]) Object.assign(merged, isObject(one) ? one : {})
    else own[keyOf(pair)] = value
  }
  return { ...merged, ...own }
}

export function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? (pair.key.type === 'PLAIN' ? String(resolvedKey(pair.key.source ?? '')) : String(pair.key.value)) : ''
}

function resolvedKey(source: string): unknown {
  const value = resolveScalar(source, '1.1')
  return typeof value === 'boolean' ? value : source
}

export function isMerge(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.source === '<<'
}

/** A collection that a path leads through, and the place in it where the path goes on: `at` is its item's index, -1 where it has none. */
export type Step = { readonly node: YAMLMap | YAMLSeq; readonly at: number; readonly segment: string | number }

/**
 * The collections from a document's root along a path, as far as they go; aliases lead to what they name. `node` is what stands at the path's
 * end (an alias there stays one), undefined where the path ends before; `left` is what is left of it then.
 */
export function walk(document: Document, path: YamlPath): { readonly steps: readonly Step[]; readonly node: Node | undefined; readonly left: YamlPath } {
  const steps: Step[] = []
  let node = (document.contents ?? undefined) as Node | undefined
  for (const [depth, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    if (!isMap(node) && !isSeq(node)) return { steps, node, left: path.slice(depth) }
    const at = isMap(node) ? node.items.findLastIndex((pair) => !isMerge(pair) && keyOf(pair) === segment) : typeof segment === 'number' && segment < node.items.length ? segment : -1
    steps.push({ node, at, segment })
    if (at === -1) return { steps, node: undefined, left: path.slice(depth) }
    const item = node.items[at]
    node = (isMap(node) ? (item as Pair).value : item) as Node
  }
  return { steps, node, left: [] }
}
