import { expect, test } from 'vitest'
import { probeReference } from './reference.ts'
import { probes } from './registry.ts'

test('the reference has every field of every probe, with its type and its meaning', () => {
  const text = probeReference()
  for (const { kind } of probes) expect(text).toContain(`\n## \`${kind}\`\n`)
  expect(text).toContain('| `address` | text |  | The environment’s address that is asked. |')
  expect(text).toContain('| `method` | `GET`, `HEAD` | `"GET"` | How it is asked. |')
  expect(text).toContain('| `latency.max` | duration |  | Slower than this fails. |')
  expect(text).toContain('| `body.notContains` | text |  | A text that it must not contain. |')
  expect(text).toContain('| `condition.status` | `True`, `False`, `Unknown` | `"True"` |')
  expect(text).toContain('| `target` | text | required | The environment’s cluster. |')
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.length).toBeGreaterThan(40)
  // Every row has a type that is known, and a description.
  expect(rows.filter((row) => row.includes('| anything |') || /\|\s*\|$/.test(row))).toEqual([])
  expect(probeReference()).toBe(text)
})
