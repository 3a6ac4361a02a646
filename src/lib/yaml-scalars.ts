/** `1.1`: as Kubernetes reads manifests. `1.2`: the core schema, in which only `true` and `false` are booleans and `0644` is 644. */
export type YamlRules = '1.1' | '1.2'

export type Scalar = null | boolean | number | string

/** Why a scalar has no JSON value; `resolveScalar` returns it instead of throwing, because only its caller knows the position. */
export type Unusable = { readonly unusable: string }

const words11: ReadonlyMap<string, null | boolean> = wordTable({
  true: ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'],
  false: ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'],
})
const words12: ReadonlyMap<string, null | boolean> = wordTable({ true: ['true', 'True', 'TRUE'], false: ['false', 'False', 'FALSE'] })
/** Beyond any 64-bit integer, with some leading zeros: `BigInt` takes quadratic time. */
const longestInteger = 100
const noNumber = /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/

/**
 * A plain (unquoted) scalar without a tag. The rules of 1.1 are those of go-yaml v2 behind sigs.k8s.io/yaml, not those of the YAML 1.1
 * specification: no base 60, timestamps stay text, `08` is 8, underscores in numbers are dropped.
 */
export function resolveScalar(text: string, rules: YamlRules): Scalar | Unusable {
  const word = (rules === '1.1' ? words11 : words12).get(text)
  if (word !== undefined) return word
  const first = text.charCodeAt(0)
  const numeric = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46 // a digit, +, -, .
  if (!numeric) return text
  if (noNumber.test(text)) return { unusable: `${text} is not a JSON number; quote it if it is meant as text` }
  return rules === '1.1' ? number11(text) : number12(text)
}

function number11(text: string): number | string | Unusable {
  if (text.startsWith('.')) return /^\.\d+([eE][-+]?\d+)?$/.test(text) ? float(text, text) : text
  const plain = text.replaceAll('_', '')
  const integer = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/.exec(plain)
  if (integer !== null) {
    const [, sign, hex, binary, octal, decimal] = integer
    const digits = hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : octal !== undefined ? `0o${octal}` : (decimal ?? '')
    const value = digits.length > longestInteger ? undefined : sign === '-' ? -BigInt(digits) : BigInt(digits)
    if (value !== undefined && value >= -(2n ** 63n) && value < 2n ** 64n) return exact(value, text)
    if (decimal === undefined && octal === undefined) return text // go-yaml leaves it as text; what looks decimal goes on as a float
  }
  return /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain) ? float(plain, text) : text
}

function number12(text: string): number | string | Unusable {
  if (text.length <= longestInteger && /^[-+]?\d+$/.test(text)) return exact(BigInt(text.replace('+', '')), text)
  if (text.length <= longestInteger && /^0(o[0-7]+|x[\da-fA-F]+)$/.test(text)) return exact(BigInt(text), text)
  return /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(text) ? float(text, text) : text
}

/** A number that JavaScript would round is refused: to deliver another value than Git holds is worse. */
function exact(value: bigint, text: string): number | Unusable {
  const rounded = Number(value)
  if (Number.isFinite(rounded) && BigInt(rounded) === value) return rounded
  return { unusable: `the integer ${text.slice(0, 40)} cannot be kept exactly (beyond 2^53); quote it if it is meant as text` }
}

function float(plain: string, text: string): number | string {
  const value = Number(plain)
  return Number.isFinite(value) ? (value === 0 ? 0 : value) : text // 1e999 is text, and -0 is 0, as JSON has it
}

/** A scalar under an explicit core tag (`!!int`); undefined when it does not fit the tag, and the text itself for tags of others. */
export function resolveTagged(tag: string, text: string, rules: YamlRules): Scalar | Unusable | undefined {
  if (tag === 'str' || tag === 'timestamp') return text
  const value = resolveScalar(text, rules)
  if (isUnusable(value)) return value
  if (tag === 'null') return value === null ? value : undefined
  if (tag === 'bool') return typeof value === 'boolean' ? value : undefined
  if (tag === 'int') return Number.isInteger(value) ? value : undefined
  return typeof value === 'number' ? value : undefined // float
}

export function isUnusable(value: unknown): value is Unusable {
  return typeof value === 'object' && value !== null
}

/**
 * A mapping key as JSON has it: text, as Kubernetes makes it from numbers (`0x10` is "16") and booleans (`yes` is "true"); undefined for null.
 * Floats come as Go prints a 32-bit `%g`, as sigs.k8s.io/yaml does.
 */
export function keyText(key: Scalar, written: string): string | undefined {
  if (key === null) return undefined
  const isFloat = typeof key === 'number' && /^[^xX]*[.eE]/.test(written)
  if (!isFloat) return String(key)
  const narrow = Math.fround(key)
  for (let digits = 1; digits <= 9; digits += 1) {
    const [mantissa = '', power = ''] = narrow.toExponential(digits - 1).split('e')
    if (Math.fround(Number(`${mantissa}e${power}`)) !== narrow) continue
    const exponent = Number(power)
    if (exponent >= -4 && exponent < 6) return String(Number(`${mantissa}e${power}`))
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return String(key)
}

function wordTable(words: { true: string[]; false: string[] }): Map<string, null | boolean> {
  return new Map<string, null | boolean>([
    ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
    ...words.true.map((word): [string, boolean] => [word, true]),
    ...words.false.map((word): [string, boolean] => [word, false]),
  ])
}
