import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fixture, never } from './fixture.ts'
import type { PushFile } from './push-ref.ts'

let fixture: Fixture
beforeEach(() => {
  fixture = new Fixture()
})
afterEach(() => fixture[Symbol.dispose]())

const ref = 'refs/plumbline/checkpoints/production'
const checkpoint = (content: string, more: Partial<PushFile> = {}): PushFile => ({
  ref, name: 'checkpoint.json', content, message: 'Checkpoint', at: 1_780_000_000_000, author: { name: 'Plumbline', email: 'plumbline@shop.example' }, ...more,
})

test('a file is committed on a ref of the remote, each on top of the one before', async () => {
  const source = fixture.repository('orders')
  const mirror = fixture.mirror(source.path)
  const first = await mirror.push(checkpoint('one'), never)
  expect(first.previous).toBe(undefined)
  const second = await mirror.push(checkpoint('two'), never)
  expect(second.previous).toBe(first.commit)
  expect(source.run('rev-parse', ref)).toBe(second.commit)
  expect(source.run('show', `${ref}:checkpoint.json`)).toBe('two')
  expect(source.run('log', '--format=%an %ae %at %s', ref)).toBe('Plumbline plumbline@shop.example 1780000000 Checkpoint\nPlumbline plumbline@shop.example 1780000000 Checkpoint')
})

test('the same file at the same time on the same ref is the same commit, wherever it is made', async () => {
  const [one, two] = [fixture.repository('one'), fixture.repository('two')]
  const push = async (path: string, name: string): Promise<string> => (await fixture.mirror(path, { name }).push(checkpoint('x'), never)).commit
  expect(await push(one.path, 'one')).toBe(await push(two.path, 'two'))
})

test('a mirror that was made anew goes on from what the remote has', async () => {
  const source = fixture.repository('orders')
  const first = await fixture.mirror(source.path).push(checkpoint('one'), never)
  const second = await fixture.mirror(source.path, { dir: join(fixture.folder, 'again') }).push(checkpoint('two'), never)
  expect(second.previous).toBe(first.commit)
  // And the first one learns of it: it is ahead of where we stood, not rewritten.
  expect((await fixture.mirror(source.path).push(checkpoint('three'), never)).previous).toBe(second.commit)
})

test('a ref that somebody rewrote, cut or removed is told and not overwritten', async () => {
  const source = fixture.repository('orders')
  const mirror = fixture.mirror(source.path)
  const first = await mirror.push(checkpoint('one'), never)
  const second = await mirror.push(checkpoint('two'), never)
  source.run('update-ref', ref, first.commit)
  await expect(mirror.push(checkpoint('three'), never)).rejects.toMatchObject({ code: 'ref-moved', fields: { ref, ours: second.commit, theirs: first.commit } })
  expect(source.run('rev-parse', ref)).toBe(first.commit)
  source.run('update-ref', '-d', ref)
  await expect(mirror.push(checkpoint('three'), never)).rejects.toMatchObject({ code: 'ref-moved', fields: { theirs: null } })
  source.run('update-ref', ref, source.commit({ other: 'x' }))
  await expect(mirror.push(checkpoint('three'), never)).rejects.toMatchObject({ code: 'ref-moved' })
})

test('a remote that refuses is told in its own words', async () => {
  const source = fixture.repository('orders')
  writeFileSync(join(source.path, 'hooks/pre-receive'), '#!/bin/sh\necho "no checkpoints here" >&2\nexit 1\n', { mode: 0o755 })
  await expect(fixture.mirror(source.path).push(checkpoint('one'), never)).rejects.toMatchObject({ code: 'push-refused', retry: 'later' })
})

test.each([{ ref: 'refs/heads/main' }, { ref: '--force' }, { ref: 'refs/plumbline/../heads/main' }, { ref: 'refs/plumbline/' }, { name: '../x' }, { name: '-x' }, { name: 'a\nb' }])(
  'what is not a ref and file of ours is refused: %j',
  async (more) => {
    await expect(fixture.mirror(fixture.repository('orders').path).push(checkpoint('x', more), never)).rejects.toMatchObject({ code: 'ref-refused' })
  },
)

test('a remote that is away is told, and nothing changes here', async () => {
  await expect(fixture.mirror(join(fixture.folder, 'nowhere')).push(checkpoint('x'), never)).rejects.toMatchObject({ code: 'repository-unreachable', subject: 'orders' })
})
