import type { Environment } from '@marcbachmann/cel-js'
import { Quantity } from './quantity.ts'
import { wrong } from './wrong.ts'

/** Kubernetes' library `quantity`. */
export function addQuantities(environment: Environment): Environment {
  const sign = (quantity: Quantity): bigint => quantity.compare(Quantity.whole(0n))
  // Without a digit before its unit it is zero: so the real server reads it.
  const read = (text: string): Quantity | undefined => Quantity.read(text) ?? (text === '' ? undefined : Quantity.read(text.replace(/^[+-]?/, '$&0')))
  return environment
    .registerType('Quantity', Quantity)
    .registerFunction('quantity(string): Quantity', (text: string) => read(text) ?? wrong(`“${text.slice(0, 40)}” is no quantity`))
    .registerFunction('isQuantity(string): bool', (text: string) => read(text) !== undefined)
    .registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => a.compare(b))
    .registerFunction('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => a.compare(b) > 0n)
    .registerFunction('Quantity.isLessThan(Quantity): bool', (a: Quantity, b: Quantity) => a.compare(b) < 0n)
    .registerFunction('Quantity.sign(): int', sign)
    .registerFunction('sign(Quantity): int', sign)
    .registerFunction('Quantity.isInteger(): bool', (a: Quantity) => a.asInteger() !== undefined)
    .registerFunction('Quantity.asInteger(): int', (a: Quantity) => a.asInteger() ?? wrong('cannot convert value to integer'))
    .registerFunction('Quantity.asApproximateFloat(): double', (a: Quantity) => a.asFloat())
    .registerFunction('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => a.add(b))
    .registerFunction('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => a.add(Quantity.whole(b)))
    .registerFunction('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => a.subtract(b))
    .registerFunction('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => a.subtract(Quantity.whole(b)))
    .registerOperator('Quantity == Quantity', (a: Quantity, b: Quantity) => a.equals(b))
}
