/** The multipliers of Kubernetes' quantities as powers (resource.Quantity of k8s.io/apimachinery): decimal, binary, and `n`, `u`, `m` below one. */
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Readonly<Record<string, bigint>> = { Ki: 1n << 10n, Mi: 1n << 20n, Gi: 1n << 30n, Ti: 1n << 40n, Pi: 1n << 50n, Ei: 1n << 60n }

const one = 1_000_000_000n

/** A quantity as Kubernetes writes them (`500m`, `1.5Gi`, `2e3`), exact to a billionth; finer fractions are rounded up, as there. */
export class Quantity {
  readonly #billionths: bigint
  /** Whether it was written without digits below one: `1.0` and `1000m` are no integers to a real server. */
  readonly #isWhole: boolean

  private constructor(billionths: bigint, isWhole: boolean) {
    this.#billionths = billionths
    this.#isWhole = isWhole
  }

  /** Undefined where the text is no quantity. */
  static read(text: string): Quantity | undefined {
    const match = /^([+-]?)(\d{1,100})?(?:\.(\d{0,100}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,4}))?$/.exec(text)
    if (match === null || (match[2] === undefined && (match[3] ?? '') === '')) return undefined
    const [, sign, whole = '0', fraction = '', suffix = '', exponent] = match
    const power = (exponent === undefined ? (decimal[suffix] ?? 0) : Number(exponent)) + 9 - fraction.length
    const digits = BigInt(whole + fraction) * (binary[suffix] ?? 1n)
    const size = power >= 0 ? digits * 10n ** BigInt(power) : (digits + 10n ** BigInt(-power) - 1n) / 10n ** BigInt(-power)
    return new Quantity(sign === '-' ? -size : size, power >= 9 || (suffix in binary && fraction === ''))
  }

  static whole(value: bigint): Quantity {
    return new Quantity(value * one, true)
  }

  /** -1, 0 or 1. */
  compare(other: Quantity): bigint {
    return this.#billionths < other.#billionths ? -1n : this.#billionths > other.#billionths ? 1n : 0n
  }

  equals(other: unknown): boolean {
    return other instanceof Quantity && this.compare(other) === 0n
  }

  add(other: Quantity): Quantity {
    return new Quantity(this.#billionths + other.#billionths, this.#isWhole && other.#isWhole)
  }

  subtract(other: Quantity): Quantity {
    return new Quantity(this.#billionths - other.#billionths, this.#isWhole && other.#isWhole)
  }

  /** Undefined where it is no whole number of 64 bits. */
  asInteger(): bigint | undefined {
    const whole = this.#billionths / one
    return this.#isWhole && BigInt.asIntN(64, whole) === whole ? whole : undefined
  }

  asFloat(): number {
    return Number(this.#billionths / one) + Number(this.#billionths % one) / Number(one)
  }

  toString(): string {
    return String(this.asInteger() ?? this.asFloat())
  }
}
