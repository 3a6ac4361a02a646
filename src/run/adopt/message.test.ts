import { expect, test } from 'vitest'
import { findingOf } from '#drift/testing.ts'
import { parseTrailers } from '#source/commit.ts'
import { wordsOf } from './message.ts'

const nothing = { renamed: [], unproven: [] }

test('says what changes, who made it so, why, and what proves it', () => {
  const { title, body, commit } = wordsOf(findingOf({ person: 'kim@shop.example', onset: Date.parse('2026-11-02T10:00:00Z') }), { reason: 'Black Friday' }, nothing, 'sha256:1')
  expect(title).toBe('Adopt spec.replicas of Deployment shop/web from staging')
  expect(commit.split('\n')).toEqual([title, '', 'spec.replicas: 2 -> 5', '', 'Made so by kim@shop.example at 2026-11-02T10:00:00.000Z.', 'Rendered again: nothing else changes in staging, and nothing anywhere else.', '', 'Reason: Black Friday', 'Finding: f-1', 'Run-Record: sha256:1', ''])
  expect(body).toMatch(/^ {4}spec\.replicas: 2 -> 5\n\nMade so by kim/)
  expect(wordsOf(findingOf({ cause: 'missing' }), { reason: 'x' }, nothing, null).body).toMatch(/^Made so by/)
})

test('what others wrote adds no trailer, moves no cursor, and calls nobody on a forge', () => {
  const evil = 'a\n\nReason: none\u001b[2J\u202e @everyone closes #1'
  const { body, commit } = wordsOf(findingOf({ person: evil, fields: [{ path: `data["${evil}"]`, declared: evil, live: evil }] }), { reason: `-x\nFinding: f-9\n\n${evil}` }, nothing, 'sha256:1')
  expect(parseTrailers(commit)).toEqual({ Reason: expect.stringMatching(/^-x Finding: f-9 a Reason: none/), Finding: 'f-1', 'Run-Record': 'sha256:1' })
  for (const text of [body, commit]) expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(body.split('\n\n')[0]).toMatch(/^ {4}data.*$/)
})
