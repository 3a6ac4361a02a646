import { expect, test } from 'vitest'
import { z } from 'zod'
import { configurationSchemas } from './parse.ts'
import { configurationReference } from './reference.ts'

const http = z.strictObject({ address: z.string().describe('A name | of the environment'), status: z.int().min(100).default(200).describe('The status.') }).describe('Asks over HTTP.')
const text = configurationReference(configurationSchemas({ http }))
const rows = text.split('\n').filter((line) => line.startsWith('| `'))

test('every field has a type and a meaning, and its default where it has one', () => {
  expect(rows.length).toBeGreaterThan(55)
  expect(rows.filter((row) => row.split(/(?<!\\)\|/).slice(1, -1).some((cell, index) => index !== 2 && cell.trim() === ''))).toEqual([])
  for (const row of [
    '| `spec.repositories.<name>.branch` | text | `main` | The branch that is followed. |',
    '| `spec.modules` | list of glob | `**/module.yaml` | Where Module documents are looked for, in every repository. |',
    '| `spec.tier` | `sandbox`, `staging`, `production` | *required* | How careful to be. |',
    '| `spec.targets` | mapping of name to a mapping, with `kubernetes` or `postgres` or `mysql` or `host` | *required* | What can be delivered to. |',
    '| `spec.review.approvals` | whole number, 0 to 10 | `0` | How many people must approve a plan. |',
    '| `spec.deadline` | duration | `5m` | How long until every object is ready. |',
    '| `spec.probes[].http.address` | text | *required* | A name \\| of the environment |',
    '| `spec.probes[].http.status` | whole number, at least 100 | `200` | The status. |',
  ]) {
    expect(rows).toContain(row)
  }
})

test('the same schemas give the same text', () => {
  expect(configurationReference(configurationSchemas({ http }))).toBe(text)
})
