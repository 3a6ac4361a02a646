import { expect, test } from 'vitest'
import type { Adoption } from '#api/client.ts'
import { printAdoption } from './adoption.ts'

const adoption = (more: Partial<Adoption> = {}): Adoption => ({
  finding: 'f-1', state: 'proposed', by: 'robin', reason: 'Black Friday', askedAt: '2026-11-02T10:00:00.000Z', deadline: '2026-11-09T10:00:00.000Z', repository: 'orders', branch: 'plumbline/adopt-f-1', to: 'branch',
  commit: 'c9f09355e9e4', pullRequest: null, edits: [{ file: 'deploy/web.yaml', line: 8, column: 13, before: '2', after: '3' }], renamed: [], unproven: [], failure: null, ...more,
})
const last = (more: Partial<Adoption>): string | undefined => printAdoption(adoption(more), { colours: false, width: 120, now: 0 }).at(-1)

test('what was pushed says what a person does next', () => {
  expect(printAdoption(adoption(), { colours: false, width: 120, now: 0 })[0]).toBe('proposed  orders plumbline/adopt-f-1 at c9f09355')
  expect(last({})).toBe('  next  review and merge plumbline/adopt-f-1; plumb status tells when it is delivered, and the finding resolves then')
  expect(last({ pullRequest: 'https://forge/pulls/1' })).toContain('merge plumbline/adopt-f-1 by its pull request;')
  for (const merged of [{ to: 'deployed' as const }, { edits: [] }]) expect(last(merged)).toMatch(/^ {2}next {2}plumb status tells/)
  expect(last({ state: 'refused' })).not.toContain('next')
})
