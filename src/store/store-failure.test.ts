import { expect, test } from 'vitest'
import { storeFailure } from './store-failure.ts'

test.each<[string, string, string, RegExp | undefined]>([
  ['40001', 'store-conflict', 'now', undefined],
  ['40P01', 'store-conflict', 'now', undefined],
  ['57014', 'store-timeout', 'later', undefined],
  ['57P01', 'store-unavailable', 'later', /goes on by itself/],
  ['ECONNREFUSED', 'store-unavailable', 'later', /runs and can be reached/],
  ['25006', 'store-unavailable', 'later', /primary/],
  ['53100', 'store-unavailable', 'later', /make room/],
  ['53300', 'store-unavailable', 'later', /max_connections/],
  ['XX001', 'store-broken', 'never', /restore a backup/],
  ['23505', 'store-constraint', 'never', undefined],
  ['28P01', 'store-denied', 'never', /DATABASE_URL/],
  ['42601', 'store-statement', 'never', /defect/],
])('what the database says with %s is %s', (code, failure, retry, hint) => {
  const found = storeFailure({ code, message: 'its words' }, ' select $1 ')
  expect(found).toMatchObject({ code: failure, retry, message: expect.stringContaining('its words') })
  if (hint !== undefined) expect(found.hint).toMatch(hint)
})
