import { expect, test } from 'vitest'
import { canonicalQuantity, quantityNanos } from './quantity.ts'

test.each([
  ['1000m', '1'],
  ['1500m', '1500m'],
  [0.5, '500m'],
  ['2', '2'],
  [2, '2'],
  ['1000', '1k'],
  ['1024', '1024'],
  ['0.5Gi', '512Mi'],
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['1Ki', '1Ki'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['0', '0'],
  ['-5m', '-5m'],
  ['+1.5G', '1500M'],
  ['.5', '500m'],
  ['1u', '1u'],
  ['0.0000000001', '1n'],
  ['100Mi', '100Mi'],
])('%j is answered as %j', (quantity, canonical) => {
  expect(canonicalQuantity(quantity)).toBe(canonical)
})

test.each(['', 'x', '1KiB', '1 Gi', '1.2.3', 'Gi', '--1', '1e9999', `${'9'.repeat(100)}`])('%j is none', (quantity) => {
  expect(canonicalQuantity(quantity)).toBeUndefined()
})

test('quantities of different forms compare', () => {
  expect(quantityNanos('1Gi')).toBe(quantityNanos('1024Mi'))
  expect((quantityNanos('1G') as bigint) < (quantityNanos('1Gi') as bigint)).toBe(true)
})
