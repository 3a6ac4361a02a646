const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 }
const nano = 10n ** 9n

export const malformedQuantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

type Parsed = { readonly nanos: bigint; readonly form: 'binary' | 'decimal' | 'exponent' }

/**
 * A quantity (`1000m`, `0.5Gi`, `1e3`, 2) in the form in which the server answers it: `1`, `512Mi`, `1e3`, `2`; `undefined` where it is none.
 * Finer than a billionth is rounded up. Source: apimachinery `pkg/api/resource/quantity.go`.
 */
export function canonicalQuantity(quantity: string | number): string | undefined {
  const parsed = parse(String(quantity).trim())
  if (parsed === undefined) return undefined
  const { nanos, form } = parsed
  if (nanos === 0n) return '0'
  const whole = nanos % nano === 0n ? nanos / nano : undefined
  if (form === 'binary' && whole !== undefined && magnitude(whole) >= 1024n) return inBinary(whole)
  for (const exponent of [18, 15, 12, 9, 6, 3, 0, -3, -6, -9]) {
    const unit = 10n ** BigInt(exponent + 9)
    if (nanos % unit !== 0n) continue
    if (form === 'exponent') return `${nanos / unit}${exponent === 0 ? '' : `e${exponent}`}`
    return `${nanos / unit}${Object.keys(decimal).find((suffix) => decimal[suffix] === exponent) as string}`
  }
  return undefined
}

/** A quantity in billionths, for comparing; `undefined` where it is none. */
export function quantityNanos(quantity: string | number): bigint | undefined {
  return parse(String(quantity).trim())?.nanos
}

function inBinary(whole: bigint): string {
  for (const [suffix, power] of Object.entries(binary).reverse()) {
    const unit = 1024n ** BigInt(power)
    if (whole % unit === 0n) return `${whole / unit}${suffix}`
  }
  return String(whole)
}

function parse(text: string): Parsed | undefined {
  const match = /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/.exec(text)
  const [, sign = '', digits = '', fraction = '', suffix, exponent] = match ?? []
  if (match === null || digits + fraction === '') return undefined
  const mantissa = BigInt(digits + fraction)
  const power = suffix === undefined ? undefined : binary[suffix]
  const scale = power === undefined ? Number(exponent ?? decimal[suffix ?? ''] ?? 0) : 0
  if (Math.abs(scale) > 100) return undefined
  const up = mantissa * 1024n ** BigInt(power ?? 0) * 10n ** BigInt(Math.max(0, scale) + 9)
  const down = 10n ** BigInt(fraction.length + Math.max(0, -scale))
  const nanos = (up + down - 1n) / down
  return { nanos: sign === '-' ? -nanos : nanos, form: power !== undefined ? 'binary' : exponent === undefined ? 'decimal' : 'exponent' }
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}
