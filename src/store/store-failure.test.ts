import { expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { openStore } from './open.ts'
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

test.each(['orders', 'mysql://me:hunter2@db/orders', 'host=db password=hunter2', 'postgres://me:hunter2@[db/orders'])('a URL that is none of a server (%s) is said to be so, and nothing of it is told', async (url) => {
  const failure = await openStore({ url }, systemClock).then(() => undefined, (error: unknown) => asFailure(error, 'the store').toJSON())
  expect(failure).toMatchObject({ code: 'database-url-invalid', subject: 'DATABASE_URL', hint: expect.stringContaining('postgres://user:password@host:5432/database'), retry: 'never' })
  expect(JSON.stringify(failure)).not.toMatch(/hunter2|orders/)
})
