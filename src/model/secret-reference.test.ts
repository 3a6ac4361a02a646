import { expect, test } from 'vitest'
import { secretAllowed } from './secret-reference.ts'

test.each<[string, string[], boolean]>([
  ['vault:kv/production/orders#url', ['vault:kv/*/orders*'], true],
  ['vault:kv/production/orders-db#url', ['vault:kv/*/orders*'], true],
  ['vault:kv/production/payments#url', ['vault:kv/*/orders*'], false],
  ['vault:kv/a/b/orders#url', ['vault:kv/*/orders*'], false],
  ['env:ORDERS_TOKEN', ['env:PAYMENTS_*', 'env:ORDERS_*'], true],
  ['env:ORDERS_TOKEN', [], false],
  ['file:/run/secrets/orders/../platform/token', ['file:/run/secrets/orders/**'], false],
  ['file:/run/secrets/orders/token', ['file:/run/secrets/orders/**'], true],
  ['no reference', ['**'], false],
])('%s under %j is allowed: %s', (reference, globs, allowed) => {
  expect(secretAllowed(reference, globs)).toBe(allowed)
})
