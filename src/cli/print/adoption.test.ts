import { expect, test } from 'vitest'
import type { Adoption } from '#api/client.ts'
import { printAdoption } from './adoption.ts'

const adoption = (more: Partial<Adoption> = {}): Adoption => ({
  finding: 'f-1', state: 'proposed', by: 'robin', reason: 'Black Friday', askedAt: '2026-11-02T10:00:00.000Z', deadline: '2026-11-09T10:00:00.000Z', repository: 'orders', branch: 'plumbline/adopt-f-1', to: 'branch',
  commit: 'c9f09355e9e4', pullRequest: null, edits: [{ file: 'deploy/web.yaml', line: 8, column: 13, before: '2', after: '3' }], renamed: [], unproven: [], failure: null, delivered: null, ...more,
})
const printed = (more: Partial<Adoption>): string[] => printAdoption(adoption(more), { colours: false, width: 120, now: Date.parse('2026-11-02T10:00:03.000Z') })
const last = (more: Partial<Adoption>): string | undefined => printed(more).at(-1)

test('what was pushed says what a person does next', () => {
  expect(printed({})[0]).toBe('proposed  orders plumbline/adopt-f-1 at c9f09355')
  expect(printed({}).slice(-2)).toEqual([
    '  next  review it; git fetch origin && git merge origin/plumbline/adopt-f-1 && git push, in a clone of orders',
    '        plumb status tells when it is delivered, and the finding resolves then',
  ])
  expect(printed({ pullRequest: 'https://forge/pulls/1' }).at(-2)).toBe('  next  review it; merge its pull request')
  expect(printed({})).toContain('  an obligation until it is delivered: within 7d')
  for (const merged of [{ to: 'deployed' as const }, { edits: [] }]) expect(last(merged)).toMatch(/^ {2}next {2}plumb status tells/)
  expect(printed({ state: 'delivered', delivered: { run: 'run-9', commit: '0123456789ab' } })).toEqual(['delivered  orders plumbline/adopt-f-1 at c9f09355', '  by run-9, with orders at 01234567', '    deploy/web.yaml:8:13', '      - 2', '      + 3'])
  expect(printed({ state: 'delivered', delivered: { run: null, commit: null } })[1]).toBe('    deploy/web.yaml:8:13')
  expect(last({ state: 'refused' })).not.toContain('next')
})
