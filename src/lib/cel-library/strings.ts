import { type Environment } from '@marcbachmann/cel-js'
import { entriesOf, isMap } from './equal.ts'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import { addNamespace } from './namespace.ts'
import { wrong } from './wrong.ts'

/** What cel-go's `ext.Strings` (version 2) has and the library lacks. Characters are code points, as there. */
export function addStrings(environment: Environment): Environment {
  const strings = addNamespace(environment, 'strings')
  return environment
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) => replace(text, from, to, -1n))
    .registerFunction('string.replace(string, string, int): string', replace)
    .registerFunction('string.format(list): string', format)
    .registerFunction(`${strings}.quote(string): string`, (_: unknown, text: string) => quoted(text))
}

function charAt(text: string, index: bigint): string {
  const all = [...text]
  return index < 0n || index > BigInt(all.length) ? wrong(`index out of range: ${index}`) : (all[Number(index)] ?? '')
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  const parts = from === '' ? ['', ...text, ''] : text.split(from)
  const most = limit < 0n ? parts.length : Math.min(Number(limit), parts.length)
  return parts.reduce((done, part, index) => done + (index <= most ? to : from) + part)
}

const controls: Readonly<Record<string, string>> = { '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"' }

function quoted(text: string): string {
  return `"${text.toWellFormed().replace(/["\\\x07\b\f\n\r\t\v]/g, (character) => controls[character] ?? character)}"` // oxlint-disable-line no-control-regex -- those are what is escaped
}

/** `printf`, with the clauses that cel-go has: `%s %d %f %e %b %x %X %o`. */
function format(text: string, values: readonly unknown[]): string {
  let index = 0
  return text.replace(/%(?:%|(\.\d+)?(.?))/gsu, (clause, precision: string | undefined, letter = '') => {
    if (clause === '%%') return '%'
    if (index >= values.length) return wrong(`index ${index} out of range`)
    const value = values[index]
    index += 1
    return formatted(value, letter, precision === undefined ? 6 : Number(precision.slice(1)))
  })
}

function formatted(value: unknown, letter: string, precision: number): string {
  const whole = typeof value === 'bigint' ? value : value instanceof UnsignedInt ? BigInt(value.valueOf()) : undefined
  switch (letter) {
    case 's':
      return shown(value)
    case 'd':
      return whole === undefined ? wrong(`error during formatting: decimal clause can only be used on integers, was given ${nameOf(value)}`) : String(whole)
    case 'f':
      return fractional(value, 'fixed-point', (number) => number.toFixed(precision))
    case 'e':
      return fractional(value, 'scientific', scientific)
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : whole === undefined ? wrong(`error during formatting: only integers and bools can be formatted as binary, was given ${nameOf(value)}`) : whole.toString(2)
    case 'o':
      return whole === undefined ? wrong(`error during formatting: octal clause can only be used on integers, was given ${nameOf(value)}`) : whole.toString(8)
    case 'x':
    case 'X': {
      const hex = typeof value === 'string' || value instanceof Uint8Array ? Buffer.from(value as string).toString('hex') : whole?.toString(16)
      if (hex === undefined) return wrong(`error during formatting: only integers, byte buffers, and strings can be formatted as hex, was given ${nameOf(value)}`)
      return letter === 'X' ? hex.toUpperCase() : hex
    }
    default:
      return wrong(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(letter)}`)
  }
}

function fractional(value: unknown, clause: string, show: (number: number) => string): string {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return special(Number(value))
  if (typeof value !== 'number') return wrong(`error during formatting: ${clause} clause can only be used on doubles, was given ${nameOf(value)}`)
  return Number.isFinite(value) ? show(value) : special(value)
}

const special = (number: number): string => (Number.isNaN(number) ? 'NaN' : number > 0 ? '∞' : '-∞')

const raised: Readonly<Record<string, string>> = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' }

/** Six digits whatever is asked for: that is how cel-go does it. */
function scientific(number: number): string {
  const [, digits = '', sign = '', power = ''] = /^([^e]*)e([+-])(\d+)$/.exec(number.toExponential(6)) ?? []
  return `${digits}×10${[...`${sign === '-' ? '-' : ''}${power.padStart(2, '0')}`].map((character) => raised[character] ?? character).join('')}`
}

/** A value as `%s` shows it. */
function shown(value: unknown): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (Array.isArray(value)) return `[${value.map(inside).join(', ')}]`
  if (isMap(value)) {
    const pairs = entriesOf(value).map(([key, member]) => [inside(key), inside(member)] as const)
    return `{${pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join(':')).join(', ')}}`
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  return String(value).replace(/^Type<(.*)>$/, '$1')
}

/** As it is shown inside a list or a map: as CEL would read it. */
function inside(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (value instanceof Uint8Array) return `b${quoted(shown(value))}`
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(6) : quoted(shown(value))
  if (value instanceof Date) return `timestamp(${quoted(shown(value))})`
  if (value instanceof Duration) return `duration(${quoted(shown(value))})`
  return shown(value)
}

function nameOf(value: unknown): string {
  if (value === null) return 'null_type'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : Array.isArray(value) ? 'list' : isMap(value) ? 'map' : 'other'
}
