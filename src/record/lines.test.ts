import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { linesOf } from './lines.ts'

let dir: string
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'plumbline-lines-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('lines come whole, also across the ends of what is read at once', () => {
  const lines = ['first', 'ü'.repeat(700_000), 'x'.repeat(3_000_000), '{"a":"\\n"}', 'last without an end']
  writeFileSync(join(dir, 'file'), lines.join('\n'))
  expect([...linesOf(join(dir, 'file'))]).toEqual(lines)
  writeFileSync(join(dir, 'file'), `${lines.join('\n\n')}\n`)
  expect([...linesOf(join(dir, 'file'))]).toEqual(lines)
  writeFileSync(join(dir, 'file'), '')
  expect([...linesOf(join(dir, 'file'))]).toEqual([])
})
