import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startChild } from '../../test/child.ts'
import type { Child } from '../../test/child.ts'
import { openPglite } from './pglite.ts'

let dir: string
const undo: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'plumbline-power-'))
  undo.push(() => Promise.resolve(rmSync(dir, { recursive: true, force: true })))
  // What the creation of a store wrote is on the disk.
  await (await openPglite(join(dir, 'disk'))).close()
  cpSync(join(dir, 'disk'), join(dir, 'after'), { recursive: true })
})
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

const disk = fileURLToPath(new URL('../../test/faulty-disk.ts', import.meta.url))

/** A process that writes rows, one a transaction, and prints the number of each that was acknowledged. */
function writer(count: number, faults: { failFrom?: number } = {}): Child {
  const settings = JSON.stringify({ disk: join(dir, 'disk'), after: join(dir, 'after'), order: join(dir, 'order'), ...faults })
  const child = startChild('./store-child.ts', [JSON.stringify({ dir: join(dir, 'disk') }), 'write', String(count)], ['env', `NODE_OPTIONS=--import=${disk}`, `FAULTY_DISK=${settings}`])
  undo.push(child.kill)
  return child
}

const acknowledged = (child: Child): number => child.lines.filter((line) => /^\d+$/.test(line)).length

async function rowsAt(folder: string): Promise<{ n: number; last: number }> {
  const store = await openPglite(join(dir, folder))
  undo.push(() => store.close())
  const [row] = await store.query<{ n: number; last: number }>('select count(*) as n, coalesce(max(id), 0) as last from written')
  return row ?? { n: -1, last: -1 }
}

const linux = process.platform === 'linux'
const only = linux ? '' : ' (the disk is faked by /proc)'

test.skipIf(!linux)(`nothing is acknowledged before it is synced, and power that fails takes nothing that was${only}`, async () => {
  const child = writer(1_000)
  await child.says('40')
  await child.kill()
  const order = readFileSync(join(dir, 'order'), 'utf8').split('\n')
  for (let id = 2; id <= 40; id += 1) expect(order.slice(order.indexOf(`told ${id - 1}`), order.indexOf(`told ${id}`))).toContain('synced')
  const { n, last } = await rowsAt('after')
  expect(n).toBe(last)
  expect(n).toBeGreaterThanOrEqual(acknowledged(child))
})

test.skipIf(!linux)(`a disk that fails to sync ends the writing, and takes nothing that was acknowledged${only}`, async () => {
  const child = writer(500, { failFrom: 40 })
  expect(await child.ended).not.toBe(0)
  const before = acknowledged(child)
  expect(before).toBeGreaterThan(0) // how many, the disk's other syncs tell
  expect(before).toBeLessThan(500)
  for (const folder of ['disk', 'after']) expect((await rowsAt(folder)).n).toBeGreaterThanOrEqual(before)
})
