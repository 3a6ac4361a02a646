import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { startChild } from '../../test/child.ts'
import { eventually } from '../../test/eventually.ts'
import { openStore } from './open.ts'
import { openPglite } from './pglite.ts'
import { enqueue } from './queue.ts'
import { Worker } from './worker.ts'

let dir: string
const undo: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plumbline-pglite-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
})
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

const open = async (at = dir): ReturnType<typeof openPglite> => {
  const store = await openPglite(at)
  undo.push(() => store.close())
  return store
}
const child = (...args: string[]): ReturnType<typeof startChild> => {
  const started = startChild('./store-child.ts', [JSON.stringify({ dir }), ...args])
  undo.push(started.kill)
  return started
}

test('what was acknowledged is there after kill -9', async () => {
  const writer = child('write')
  await writer.says('50')
  await writer.kill()
  const acknowledged = writer.lines.length - 1
  const store = await open()
  const [row] = await store.query<{ n: number; last: number }>(`select count(*) as n, max(id) as last from written`)
  expect(row?.n).toBe(row?.last)
  expect(row?.n).toBeGreaterThanOrEqual(acknowledged)
  expect(row?.n).toBeLessThanOrEqual(acknowledged + 1)
})

const strace = spawnSync('strace', ['-e', 'trace=fsync', 'true']).status === 0
test.skipIf(!strace)(`a commit is on the disk before it is answered${strace ? '' : ' (no strace here)'}`, async () => {
  const trace = join(dir, 'trace')
  const writer = startChild('./store-child.ts', [JSON.stringify({ dir: join(dir, 'store') }), 'write', '20'], ['strace', '-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', trace])
  expect(await writer.ended).toBe(0)
  const synced = readFileSync(trace, 'utf8').split('\n').filter((line) => /f(data)?sync\(\d+<.*\/store\/pg\/pg_wal\//.test(line))
  expect(writer.lines).toHaveLength(21)
  expect(synced.length).toBeGreaterThanOrEqual(20)
})

test('a read is not answered before what it saw is on the disk', async () => {
  const store = await open()
  await store.query(`create table seen (id int)`)
  const answered: string[] = []
  const writing = store.query(`insert into seen values (1)`).then(() => answered.push('write'))
  const reading = store.query<{ n: number }>(`select count(*) as n from seen`).then(([row]) => answered.push(`read ${row?.n}`))
  await Promise.all([writing, reading])
  expect(answered).toEqual(['write', 'read 1'])
})

test('a second process is refused, and told who holds the folder; when that one is killed, it is let in at once', async () => {
  const holder = child('hold')
  await holder.says('open')
  await expect(openPglite(dir)).rejects.toMatchObject({ code: 'store-locked', fields: { pid: holder.pid } })
  await holder.kill()
  const store = await open()
  await expect(openPglite(dir)).rejects.toMatchObject({ code: 'store-locked', fields: { pid: process.pid } })
  await store.close()
  await (await open()).query(`select 1`)
})

test('what a killed process had claimed runs at once after a restart', async () => {
  const first = await openStore({ dir }, systemClock)
  await enqueue(first, systemClock, 'job/1')
  await first.close()
  const worker = child('work')
  await worker.says('job/1')
  await worker.kill()
  const store = await openStore({ dir }, systemClock)
  undo.push(() => store.close())
  const seen: string[] = []
  const before = performance.now()
  const again = new Worker({ store, clock: systemClock, concurrency: 1, handlers: { 'job/': async (key) => void seen.push(key) } })
  again.start()
  await eventually(() => seen.length === 1)
  expect(performance.now() - before).toBeLessThan(1_000)
  await again.stop()
})

test('what a creation left unfinished is not taken for a store', async () => {
  await mkdir(join(dir, 'pg.new'))
  writeFileSync(join(dir, 'pg.new', 'PG_VERSION'), '18\n')
  const store = await open()
  expect(await store.query(`select 1 as one`)).toEqual([{ one: 1 }])
  expect(existsSync(join(dir, 'pg.new'))).toBe(false)
})

test('a folder that is no store is refused, and nothing in it is changed', async () => {
  await mkdir(join(dir, 'pg'))
  writeFileSync(join(dir, 'pg', 'precious'), 'data')
  await expect(openPglite(dir)).rejects.toMatchObject({ code: 'store-broken' })
  expect(readdirSync(join(dir, 'pg'))).toEqual(['precious'])
  writeFileSync(join(dir, 'pg', 'PG_VERSION'), '17\n')
  await expect(openPglite(dir)).rejects.toMatchObject({ code: 'store-broken', message: expect.stringContaining('PostgreSQL 17') })
  writeFileSync(join(dir, 'pg', 'PG_VERSION'), '18\n')
  await expect(openPglite(dir)).rejects.toMatchObject({ code: 'store-broken' })
  writeFileSync(join(dir, 'file'), '')
  await expect(openPglite(join(dir, 'file'))).rejects.toMatchObject({ code: 'store-broken' })
})

test('a damaged control file is told, and not mended by force', async () => {
  await (await open()).close()
  const control = join(dir, 'pg', 'global', 'pg_control')
  const damaged = Buffer.alloc(readFileSync(control).length, 7)
  writeFileSync(control, damaged)
  await expect(openPglite(dir)).rejects.toMatchObject({ code: 'store-broken' })
  expect(readFileSync(control)).toEqual(damaged)
})

test('the log does not grow for ever', async () => {
  const store = await open()
  await store.query(`create table bulk (text text)`)
  for (let times = 0; times < 12; times += 1) {
    await store.query(`insert into bulk select repeat(md5(i::text), 20) from generate_series(1, 20000) i`)
    await store.query(`delete from bulk`)
  }
  expect(readdirSync(join(dir, 'pg', 'pg_wal')).length).toBeLessThan(110) // of 1 MB; 12 times 16 MB were written
  expect((await store.query<{ size: number }>(`select pg_total_relation_size('bulk') as size`))[0]?.size).toBeLessThan(100e6)
})

const mounts = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
test.skipIf(!mounts)(`a full disk fails statements, loses nothing, and is over when there is room${mounts ? '' : ' (only root can mount a small disk)'}`, async () => {
  const disk = join(dir, 'disk')
  await mkdir(disk)
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'none', disk]).status).toBe(0)
  undo.push(async () => spawnSync('umount', [disk]))
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(12e6))
  const store = await open(join(disk, 'store'))
  await store.query(`create table filled (id int primary key, text text)`)
  const heard: string[] = []
  await store.listen('room', (payload) => heard.push(payload))
  let lost = 0
  await store.holdLock(1, 1, () => (lost += 1))
  let acknowledged = 0
  const fill = async (): Promise<void> => {
    for (;;) {
      await store.query(`insert into filled select $1, string_agg(md5(random()::text), '') from generate_series(1, 3000)`, [acknowledged + 1])
      acknowledged += 1
    }
  }
  await expect(fill()).rejects.toMatchObject({ code: 'store-unavailable', retry: 'later', hint: expect.stringContaining('make room') })
  expect(acknowledged).toBeGreaterThan(10)
  await rm(join(disk, 'ballast'))
  const rows = await eventually(() => store.query<{ n: number }>(`select count(*) as n from filled where id <= $1 and length(text) = 96000`, [acknowledged]).catch(() => undefined))
  expect(rows).toEqual([{ n: acknowledged }])
  await store.query(`insert into filled values (1000000, '')`)
  await store.query(`select pg_notify('room', 'again')`)
  await eventually(() => heard.includes('again'))
  expect(lost).toBeLessThanOrEqual(1)
})
