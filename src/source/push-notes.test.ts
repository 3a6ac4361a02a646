import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fixture, never } from './fixture.ts'
import type { Notes } from './push-notes.ts'

let fixture: Fixture
beforeEach(() => {
  fixture = new Fixture()
})
afterEach(() => fixture[Symbol.dispose]())

const notes = (...lines: Notes['lines']): Notes => ({ lines, at: 1_780_000_000_000, author: { name: 'Plumbline', email: 'plumbline@localhost' } })

test('git log tells what became of a commit, line by line, and each line once', async () => {
  const source = fixture.repository('orders')
  const commit = source.commit({ file: 'x' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  expect(await mirror.pushNotes(notes({ commit, line: 'Plumbline: sandbox succeeded' }, { commit, line: 'Plumbline: staging failed\nnot a line of its own' }), never)).toBe(2)
  expect(await mirror.pushNotes(notes({ commit, line: 'Plumbline: sandbox succeeded' }), never)).toBe(0)
  expect(await mirror.pushNotes(notes({ commit, line: 'Plumbline: production succeeded' }), never)).toBe(1)
  expect(source.run('log', '-1', '--notes=plumbline', '--format=%N', commit)).toBe('Plumbline: sandbox succeeded\nPlumbline: staging failed not a line of its own\nPlumbline: production succeeded')
})

test('what others wrote stays, on the same commit and on others', async () => {
  const source = fixture.repository('orders')
  const [first, second] = [source.commit({ file: 'x' }), source.commit({ file: 'y' })]
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  for (const commit of [first, second]) source.run('-c', 'user.name=Bo', '-c', 'user.email=bo@shop.example', 'notes', '--ref=plumbline', 'add', '-m', 'a word of a person', commit)
  await mirror.pushNotes(notes({ commit: first, line: 'Plumbline: ours' }), never)
  expect(source.run('notes', '--ref=plumbline', 'show', first)).toBe('a word of a person\nPlumbline: ours')
  expect(source.run('notes', '--ref=plumbline', 'show', second)).toBe('a word of a person')
})

test('two that write at once both come through', async () => {
  const source = fixture.repository('orders')
  const commit = source.commit({ file: 'x' })
  const mirrors = ['one', 'two', 'three'].map((name) => fixture.mirror(source.path, { dir: join(fixture.folder, name) }))
  for (const mirror of mirrors) await mirror.fetch(never)
  await Promise.all(mirrors.map((mirror, at) => mirror.pushNotes(notes({ commit, line: `Plumbline: line ${at}` }), never)))
  expect(source.run('notes', '--ref=plumbline', 'show', commit).split('\n').sort()).toEqual(['Plumbline: line 0', 'Plumbline: line 1', 'Plumbline: line 2'])
})

test('a commit that is not here is passed over, and a remote that refuses is told in its own words', async () => {
  const source = fixture.repository('orders')
  const commit = source.commit({ file: 'x' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  expect(await mirror.pushNotes(notes({ commit: 'f'.repeat(40), line: 'x' }), never)).toBe(0)
  source.run('config', 'receive.denyDeletes', 'true')
  source.run('config', 'transfer.hideRefs', 'refs/notes')
  await expect(mirror.pushNotes(notes({ commit, line: 'x' }), never)).rejects.toMatchObject({ code: 'push-refused', hint: expect.stringContaining('notes: true') })
})
