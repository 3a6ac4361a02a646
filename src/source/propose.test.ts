import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseTrailers, writeMessage } from './commit.ts'
import { Fixture, never } from './fixture.ts'
import type { ProposedCommit } from './propose.ts'

let fixture: Fixture
beforeEach(() => {
  fixture = new Fixture()
})
afterEach(() => fixture[Symbol.dispose]())

const branch = 'plumbline/adopt-1'
const commit = (onto: string, changes: Record<string, string | undefined>): ProposedCommit => ({
  onto, changes: new Map(Object.entries(changes).map(([path, text]) => [path, text === undefined ? undefined : Buffer.from(text)])), message: writeMessage('Adopt it', ['a: 1 -> 2'], { Finding: 'f-1' }),
  at: 1_780_000_000_000, author: { name: 'Robin <x>', email: 'robin@shop.example' }, committer: { name: 'Plumbline', email: 'plumbline@shop.example' },
})

test('a commit changes the files that it names, keeps their modes, and is on the remote’s branch alone', async () => {
  const source = fixture.repository('orders')
  const head = source.commit({ 'a.yaml': 'a: 1\n', 'b/run.sh': { mode: '100755', content: 'x' }, 'ü "c".yaml': 'c\n', d: 'd' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  const draft = await mirror.draft(commit(head, { 'a.yaml': 'a: 2\n', 'b/run.sh': 'y', 'ü "c".yaml': undefined, 'new/e.yaml': 'e\n' }), never)
  await mirror.propose({ branch }, draft, undefined, never)
  expect(source.run('rev-parse', branch)).toBe(draft)
  expect(source.run('rev-parse', 'main')).toBe(head)
  expect(source.run('-c', 'core.quotePath=off', 'ls-tree', '-r', branch).split('\n').map((line) => line.replace(/ blob \S+/, ''))).toEqual(['100644\ta.yaml', '100755\tb/run.sh', '100644\td', '100644\tnew/e.yaml'])
  expect(source.run('log', '-1', '--format=%an %ae %cn %(trailers:key=Finding)', branch)).toBe('Robin x robin@shop.example Plumbline Finding: f-1')
  expect(await mirror.proposal(branch, never)).toBe(draft)
  expect(await mirror.draft(commit(head, { 'a.yaml': 'a: 2\n', 'b/run.sh': 'y', 'ü "c".yaml': undefined, 'new/e.yaml': 'e\n' }), never)).toBe(draft)
})

test('another commit goes on top; a branch that somebody moved is not overwritten; one that is there already is no error', async () => {
  const source = fixture.repository('orders')
  const head = source.commit({ 'a.yaml': 'a: 1\n' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  expect(await mirror.proposal(branch, never)).toBeUndefined()
  const first = await mirror.draft(commit(head, { 'a.yaml': 'a: 2\n' }), never)
  await mirror.propose({ branch }, first, undefined, never)
  await mirror.propose({ branch }, first, undefined, never)
  const theirs = source.commit({ 'a.yaml': 'a: 9\n' }, { branch, from: first })
  const second = await mirror.draft(commit(first, { 'a.yaml': 'a: 3\n' }), never)
  await expect(mirror.propose({ branch }, second, first, never)).rejects.toMatchObject({ code: 'ref-moved', fields: { theirs } })
  expect(source.run('rev-parse', branch)).toBe(theirs)
  const seen = await mirror.proposal(branch, never)
  expect((await mirror.reader(seen!).read((await mirror.reader(seen!).entry('a.yaml'))!)).toString()).toBe('a: 9\n')
  expect(await mirror.contains(theirs, head)).toBe(true)
})

test('the deployed branch is pushed to by name alone, and no other branch is', async () => {
  const source = fixture.repository('orders')
  const head = source.commit({ a: '1' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  const draft = await mirror.draft(commit(head, { a: '2' }), never)
  for (const other of ['main', 'refs/heads/main', 'plumbline/../main', 'feature/x']) await expect(mirror.propose({ branch: other }, draft, head, never)).rejects.toMatchObject({ code: expect.stringMatching(/^(ref-refused|branch-name-invalid)$/) })
  await mirror.propose('deployed', draft, head, never)
  expect(source.run('rev-parse', 'main')).toBe(draft)
})

test('a remote that refuses is told in its own words', async () => {
  const source = fixture.repository('orders')
  const head = source.commit({ a: '1' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  const hook = join(source.path, 'hooks', 'pre-receive')
  writeFileSync(hook, '#!/bin/sh\necho "no branches on Fridays" >&2\nexit 1\n')
  chmodSync(hook, 0o755)
  await expect(mirror.propose({ branch }, await mirror.draft(commit(head, { a: '2' }), never), undefined, never)).rejects.toMatchObject({ code: 'push-refused' })
})

test('the patch is one that git applies', async () => {
  const source = fixture.repository('orders')
  const head = source.commit({ 'a.yaml': 'a: 1\nb: 2', gone: 'x\n' })
  const mirror = fixture.mirror(source.path)
  await mirror.fetch(never)
  const draft = await mirror.draft(commit(head, { 'a.yaml': 'a: 3\nb: 2', gone: undefined, 'new.yaml': 'n\n' }), never)
  const patch = await mirror.patch(head, draft)
  const copy = join(fixture.folder, 'copy')
  const git = (args: string[], input?: string): string => execFileSync('git', args, { input, cwd: fixture.folder, env: { ...fixture.git.env, HOME: fixture.folder } }).toString()
  git(['clone', '--quiet', source.path, copy])
  git(['-C', copy, 'apply', '-'], patch)
  expect(git(['-C', copy, 'status', '--short'])).toBe(' M a.yaml\n D gone\n?? new.yaml\n')
})

test('a message’s trailers are read back, whatever was typed', () => {
  const message = writeMessage('Adopt\nit', ['Body', ''], { Reason: 'two\nlines: x', Finding: 'f-1', Ticket: ' ' })
  expect(message).toBe('Adopt it\n\nBody\n\nReason: two lines: x\nFinding: f-1\n')
  expect(parseTrailers(message)).toEqual({ Reason: 'two lines: x', Finding: 'f-1' })
})

test('a message shows what would not be seen, or would move what is', () => {
  expect(writeMessage('Adopt \u001b[2Jit', ['one\ntwo\u202e'], { Reason: 'a\u200bb\u0007' })).toBe('Adopt \\u001b[2Jit\n\none\ntwo\\u202e\n\nReason: a\\u200bb\\u0007\n')
})
