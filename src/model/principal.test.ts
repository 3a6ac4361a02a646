import { expect, test } from 'vitest'
import { byHolders, holdsRole } from './principal.ts'
import type { Principal } from './principal.ts'

const person = (name: string, role: Principal['grants'][number]['role'], ...environments: string[]): Principal => ({ name, emails: [], grants: [{ role, environments }] })

test('a role holds where it was granted, with what is below it', () => {
  expect([holdsRole(person('bo', 'operator', 'prod*'), 'approver', 'production'), holdsRole(person('bo', 'approver', '*'), 'approver', 'production')]).toEqual([true, true])
  expect([holdsRole(person('bo', 'developer', '*'), 'approver', 'production'), holdsRole(person('bo', 'admin', 'staging'), 'approver', 'production')]).toEqual([false, false])
})

test('what somebody did counts only while they have the role for it', () => {
  const done = [{ principal: 'bo' }, { principal: 'gone' }, { principal: 'demoted' }, { principal: 'elsewhere' }]
  const known = [person('bo', 'approver', 'production'), person('demoted', 'developer', '*'), person('elsewhere', 'approver', 'staging'), { name: 'gone', emails: [], grants: [] }]
  expect(byHolders(done, known, 'approver', 'production')).toEqual([{ principal: 'bo' }])
  expect(byHolders(done, [], 'approver', 'production')).toEqual([])
})
