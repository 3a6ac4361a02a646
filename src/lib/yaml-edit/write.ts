import { isMap, isScalar } from 'yaml'
import type { Node, Scalar } from 'yaml'
import { isObject } from '../json.ts'
import type { Json } from '../json.ts'
import { resolveScalar } from '../yaml-scalars.ts'

/** How a value is to be written at its place. */
export type Style = {
  /** Inside `{…}` or `[…]`. */
  readonly isFlow: boolean
  /** As JSON has it: what is text is in double quotes. */
  readonly isJson: boolean
  /** The quotes of what stood there, or of a neighbour. */
  readonly quotes: 'none' | 'single' | 'double'
  /** The column of the collection's keys or items. */
  readonly indent: number
  readonly eol: '\n' | '\r\n'
  /** Texts of many lines: as blocks, where nothing is said, or in quotes. */
  readonly lines?: 'quoted'
}

export function quotesOf(node: Node | null | undefined): Style['quotes'] {
  if (!isScalar(node)) return 'none'
  return node.type === 'QUOTE_SINGLE' ? 'single' : node.type === 'QUOTE_DOUBLE' ? 'double' : 'none'
}

/** A scalar on one line. A text keeps the quotes of its place, and gets some where a reader could take it for another type. */
export function writeScalar(value: null | boolean | number | string, style: Style): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  if (style.isJson || style.quotes === 'double') return double(value)
  if (style.quotes === 'single') return single(value)
  return isPlain(value, style.isFlow) ? value : double(value)
}

/** Whether every reader of YAML 1.1 and 1.2 takes the word for that very text. */
export function isPlain(text: string, isFlow: boolean): boolean {
  if (text === '' || text.trim() !== text || !/^[\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]+$/.test(text)) return false
  if (/^([-?:](\s|$)|[,[\]{}#&*!|>'"%@`=~]|<<$|---|\.\.\.)/.test(text) || /:(\s|$)|\s#/.test(text)) return false
  if (isFlow && /[,[\]{}]|^[-?:]/.test(text)) return false
  // Times, dates and numbers in base 60 are text to Kubernetes, and not to everybody.
  if (/^[-+]?[\d.][\d_.:eExXoO+\-TZ ]*$/.test(text) && !/^\d+(\.\d+){2,}(-[a-z\d.]+)?$/i.test(text)) return false
  return resolveScalar(text, '1.1') === text && resolveScalar(text, '1.2') === text
}

function single(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f-\u009f\ufeff\u2028\u2029]/.test(text) ? double(text) : `'${text.replaceAll("'", "''")}'`
}

function double(text: string): string {
  // JSON's escapes are YAML's too; what YAML does not print, or folds, JSON writes as it is.
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A text of many lines as a literal block (`|`), its lines at `style.indent`; undefined where such a block cannot hold it. */
export function writeLiteral(text: string, style: Style): string | undefined {
  const body = text.replace(/\n+$/, '')
  // oxlint-disable-next-line no-control-regex
  if (style.isFlow || style.isJson || body === '' || /[^\n\t\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text) || /^[ \t\n]|[ \t](\n|$)/.test(body)) return undefined
  const ends = text.length - body.length
  const header = ends === 0 ? '|-' : ends === 1 ? '|' : '|+'
  const lines = `${body}${'\n'.repeat(Math.max(0, ends - 1))}`.split('\n')
  return [header, ...lines.map((line) => (line === '' ? '' : ' '.repeat(style.indent) + line))].join(style.eol)
}

/**
 * Any value, to stand after `key:` (with its own space or line end before it) or, for `after: 'dash'`, after `-`. `style.indent` is the column of
 * the collection that it is put into.
 */
export function writeValue(value: Json, style: Style, after: 'key' | 'dash'): string {
  if (Array.isArray(value)) return value.length === 0 || style.isFlow || style.isJson ? ` ${flow(value, style)}` : blockList(value, style, after)
  if (isObject(value)) return Object.keys(value).length === 0 || style.isFlow || style.isJson ? ` ${flow(value, style)}` : blockMap(value, style, after)
  const literal = typeof value === 'string' && value.includes('\n') && style.lines !== 'quoted' ? writeLiteral(value, { ...style, indent: style.indent + 2 }) : undefined
  return ` ${literal ?? writeScalar(value, style)}`
}

/** A whole document of its own. */
export function writeDocument(value: Json, lines: 'blocks' | 'quoted' = 'blocks'): string {
  return `${writeValue(value, { isFlow: false, isJson: false, quotes: 'none', indent: -2, eol: '\n', ...(lines === 'quoted' ? { lines } : {}) }, 'key').trimStart()}\n`
}

export function writeKey(key: string, style: Style): string {
  return style.isJson ? double(key) : writeScalar(key, { ...style, quotes: 'none' })
}

function flow(value: Json, style: Style): string {
  const inside = { ...style, isFlow: true, quotes: style.isJson ? style.quotes : ('none' as const) }
  if (Array.isArray(value)) return `[${value.map((item) => flow(item, inside)).join(', ')}]`
  if (!isObject(value)) return writeScalar(value, inside)
  const members = Object.entries(value).map(([key, member]) => `${writeKey(key, inside)}: ${flow(member, inside)}`)
  return members.length === 0 ? '{}' : style.isJson ? `{${members.join(', ')}}` : `{ ${members.join(', ')} }`
}

function blockMap(value: Record<string, Json>, style: Style, after: 'key' | 'dash'): string {
  const inside = { ...style, indent: style.indent + 2, quotes: 'none' as const }
  const pad = style.eol + ' '.repeat(inside.indent)
  const members = Object.entries(value).map(([key, member]) => `${writeKey(key, inside)}:${writeValue(member, inside, 'key')}`)
  return `${after === 'key' ? pad : ' '}${members.join(pad)}`
}

/** Lists stand below their key at two more columns, as in a list of lists; `-` then begins a line. */
function blockList(value: readonly Json[], style: Style, after: 'key' | 'dash'): string {
  const inside = { ...style, indent: style.indent + 2, quotes: 'none' as const }
  const pad = style.eol + ' '.repeat(inside.indent)
  return `${after === 'key' ? pad : ' '}${value.map((item) => `-${writeValue(item, inside, 'dash')}`).join(pad)}`
}

/** The style of a collection's members, told by the first of them. */
export function styleIn(node: Node, indent: number, eol: Style['eol']): Style {
  const [first] = isMap(node) ? node.items : []
  const isFlow = (node as { flow?: boolean }).flow === true
  const isJson = isFlow && isScalar(first?.key) && (first.key as Scalar).type === 'QUOTE_DOUBLE'
  return { isFlow, isJson, quotes: 'none', indent, eol }
}
