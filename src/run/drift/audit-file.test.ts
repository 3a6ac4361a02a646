import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Failure } from '#lib/failure.ts'
import { eventually } from '../../../test/eventually.ts'
import { followAuditFile } from './audit-file.ts'

let folder: string
let over: AbortController
let following: Promise<void>
let seen: unknown[]
let troubles: Failure[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumbline-audit-'))
  over = new AbortController()
  seen = []
  troubles = []
})
afterEach(async () => {
  over.abort()
  await following
  rmSync(folder, { recursive: true })
})
const path = (): string => join(folder, 'audit.log')
const follow = (): void => {
  const clock = { ...systemClock, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(5, signal) }
  following = followAuditFile({ path: path(), clock, take: async (events) => void seen.push(...events.map(({ id }) => id)), trouble: (failure) => troubles.push(failure) }, over.signal)
}

test('takes what is there, what is appended, and a line that comes in two parts', async () => {
  writeFileSync(path(), '{"id":1}\nno json\n{"id":2}\n')
  follow()
  await eventually(() => seen.length === 2)
  appendFileSync(path(), '{"id":3}\n{"id"')
  await eventually(() => seen.length === 3)
  appendFileSync(path(), ':4}\n')
  await eventually(() => seen.length === 4)
  expect(seen).toEqual([1, 2, 3, 4])
})

test('goes on with a file that is begun anew', async () => {
  writeFileSync(path(), '{"id":1}\n')
  follow()
  await eventually(() => seen.length === 1)
  renameSync(path(), `${path()}.1`)
  writeFileSync(path(), '{"id":2}\n')
  await eventually(() => seen.length === 2)
})

test('says once that it cannot be read, and reads it when it is there', async () => {
  follow()
  await eventually(() => troubles.length === 1)
  writeFileSync(path(), '{"id":1}\n')
  await eventually(() => seen.length === 1)
  expect(troubles).toHaveLength(1)
})

test('keeps no line that goes on and on, and takes its end for no event', async () => {
  writeFileSync(path(), '{"id":1}\n')
  follow()
  await eventually(() => seen.length === 1)
  const part = 'x'.repeat(4 * 1024 * 1024)
  appendFileSync(path(), '{"id":2,"x":"')
  for (let count = 0; count < 5; count += 1) appendFileSync(path(), part)
  appendFileSync(path(), '"}\n{"id":3}\n')
  await eventually(() => seen.includes(3))
  expect(seen).toEqual([1, 3])
})
