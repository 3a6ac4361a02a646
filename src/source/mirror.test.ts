import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { Fixture, never } from './fixture.ts'

let fixture: Fixture
beforeEach(() => {
  fixture = new Fixture()
})
afterEach(() => fixture[Symbol.dispose]())

describe('a mirror', () => {
  test('fetches its branch, tells the head before, and reads any commit', async () => {
    const source = fixture.repository('orders')
    const first = source.commit({ 'deploy/module.yaml': 'one', README: 'text' })
    const mirror = fixture.mirror(source.path)
    expect(await mirror.head()).toBe(undefined)
    expect(await mirror.fetch(never)).toEqual({ head: first, previous: undefined, forced: false })
    const second = source.commit({ 'deploy/module.yaml': 'two', README: 'text' })
    expect(await mirror.fetch(never)).toEqual({ head: second, previous: first, forced: false })
    expect(await mirror.fetch(never)).toEqual({ head: second, previous: second, forced: false })
    expect(await mirror.head()).toBe(second)
    const text = async (commit: string): Promise<string | undefined> => {
      const entry = await mirror.reader(commit).entry('deploy/module.yaml')
      return entry && (await mirror.reader(commit).read(entry)).toString('utf8')
    }
    expect([await text(first), await text(second)]).toEqual(['one', 'two'])
  })

  test('tells which commit last touched a line, as of a commit, and nothing where there is no such line', async () => {
    const source = fixture.repository('orders')
    const first = source.commit({ 'deploy/a.yaml': 'one\ntwo\n' })
    const second = source.commit({ 'deploy/a.yaml': 'one\n2\n' }, { message: 'Two is 2' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    expect(await mirror.blame(second, 'deploy/a.yaml', 1)).toMatchObject({ sha: first })
    expect(await mirror.blame(second, 'deploy/a.yaml', 2)).toMatchObject({ sha: second, subject: 'Two is 2' })
    expect(await mirror.blame(first, 'deploy/a.yaml', 2)).toMatchObject({ sha: first })
    for (const [file, line] of [['deploy/a.yaml', 9], ['deploy/none.yaml', 1], ['--help', 1]] as const) expect(await mirror.blame(second, file, line)).toBeUndefined()
  })

  test('takes a force push, says so, and goes on reading a commit that was kept', async () => {
    const source = fixture.repository('orders')
    const base = source.commit({ a: '1' })
    const lost = source.commit({ a: '2' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    await mirror.keep(lost)
    const rewritten = source.commit({ a: '3' }, { from: base })
    expect(await mirror.fetch(never)).toEqual({ head: rewritten, previous: lost, forced: true })
    source.run('update-ref', '-d', 'refs/heads/main')
    source.run('reflog', 'expire', '--expire=now', '--all')
    rmSync(source.path, { recursive: true })
    const gitDir = join(fixture.folder, 'mirrors/orders/repository.git')
    fixture.repository('other').run('--git-dir', gitDir, 'gc', '--prune=now', '--quiet')
    const entry = await mirror.reader(lost).entry('a')
    expect(entry && (await mirror.reader(lost).read(entry)).toString('utf8')).toBe('2')
    await mirror.release(lost)
    fixture.repository('other').run('--git-dir', gitDir, 'gc', '--prune=now', '--quiet')
    mirror.close()
    await expect(mirror.commit(lost)).rejects.toMatchObject({ code: 'commit-unknown' })
  })

  test('names a branch that is gone or was never there, and keeps the last head', async () => {
    const source = fixture.repository('orders')
    const mirror = fixture.mirror(source.path)
    await expect(mirror.fetch(never)).rejects.toMatchObject({ code: 'branch-missing', subject: 'orders' })
    const head = source.commit({ a: '1' })
    await mirror.fetch(never)
    source.run('branch', '-m', 'main', 'trunk')
    await expect(mirror.fetch(never)).rejects.toMatchObject({ code: 'branch-missing', retry: 'later' })
    expect(await mirror.head()).toBe(head)
  })

  test('keeps its head while the repository is away, in the words of git, and goes on when it is back', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ a: '1' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    renameSync(source.path, `${source.path}.away`)
    await expect(mirror.fetch(never)).rejects.toMatchObject({
      code: 'repository-unreachable', retry: 'later', message: expect.stringContaining('does not appear to be a git repository'),
    })
    expect(await mirror.head()).toBe(head)
    expect(await mirror.reader(head).entry('a')).toMatchObject({ type: 'blob' })
    renameSync(`${source.path}.away`, source.path)
    const next = source.commit({ a: '2' })
    expect(await mirror.fetch(never)).toEqual({ head: next, previous: head, forced: false })
  })

  test.skipIf(process.getuid?.() !== 0)('fetches a local repository of another user (only root can make one to try with)', async () => {
    const source = fixture.repository('or"ders')
    const head = source.commit({ a: '1' })
    execFileSync('chown', ['-R', '12345', source.path])
    expect(await fixture.mirror(source.path).fetch(never)).toMatchObject({ head })
  })

  test('says in the words of git why it cannot take a repository that answers', async () => {
    const path = join(fixture.folder, 'sha256.git')
    const git = (args: string[]): string => execFileSync('git', args, { env: { ...fixture.git.env, HOME: fixture.folder }, input: '' }).toString('utf8').trim()
    git(['init', '--bare', '--quiet', '--object-format=sha256', path])
    const tree = git(['--git-dir', path, 'mktree'])
    git(['--git-dir', path, 'update-ref', 'refs/heads/main', git(['--git-dir', path, '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', tree, '-m', 'x'])])
    await expect(fixture.mirror(path).fetch(never)).rejects.toMatchObject({ code: 'repository-fetch-failed', retry: 'later', message: expect.stringMatching(/sha1.*sha256|algorithm/) })
  })

  test('fetches from a working copy, too', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ a: '1' })
    execFileSync('git', ['clone', '--quiet', source.path, join(fixture.folder, 'copy')], { env: { ...fixture.git.env, HOME: fixture.folder } })
    expect(await fixture.mirror(join(fixture.folder, 'copy')).fetch(never)).toMatchObject({ head })
  })

  test('lists the commits between two, and those that touch a path', async () => {
    const source = fixture.repository('orders')
    const one = source.commit({ a: '1' }, { message: 'One' })
    const two = source.commit({ a: '1', b: '1' }, { message: 'Two\n\nWhy it is so.\n\nTicket: OPS-7\nreviewed-by: Rita <rita@shop.example>\n' })
    const three = source.commit({ a: '2', b: '1' }, { message: 'Three' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    expect((await mirror.log(one, three)).map(({ subject }) => subject)).toEqual(['Three', 'Two'])
    expect((await mirror.log(undefined, three, ['b'])).map(({ sha }) => sha)).toEqual([two])
    expect(await mirror.commit(two)).toEqual({
      sha: two, author: { name: 'Ada Author', email: 'ada@shop.example' }, at: 1_780_000_002_000, subject: 'Two',
      trailers: { Ticket: 'OPS-7', 'Reviewed-by': 'Rita <rita@shop.example>' },
    })
  })

  test('starts no program to tell that a commit is the next one; of a merge it asks git', async () => {
    const [programs, calls] = [join(fixture.folder, 'programs'), join(fixture.folder, 'calls')]
    mkdirSync(programs)
    const git = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
    writeFileSync(join(programs, 'git'), `#!/bin/sh\necho "$*" >> '${calls}'\nexec ${git} "$@"\n`, { mode: 0o755 })
    const asked = (verb: string): number => readFileSync(calls, 'utf8').split('\n').filter((line) => line.includes(` ${verb} `)).length
    const source = fixture.repository('orders')
    const one = source.commit({ a: '1' })
    const mirror = fixture.mirror(source.path, { git: { ...fixture.git, env: { PATH: `${programs}:${fixture.git.env['PATH']}` } } })
    await mirror.fetch(never)
    const two = source.commit({ a: '2' })
    expect(await mirror.fetch(never)).toEqual({ head: two, previous: one, forced: false })
    expect((await mirror.log(one, two)).map(({ sha }) => sha)).toEqual([two])
    expect([asked('merge-base'), asked('rev-list')]).toEqual([0, 0])
    const side = source.commit({ a: '1', b: '1' }, { branch: 'side', from: one })
    const tree = source.run('rev-parse', `${side}^{tree}`)
    const merge = source.run('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', '-p', two, '-p', side, '-m', 'Both', tree)
    source.run('update-ref', 'refs/heads/main', merge)
    expect(await mirror.fetch(never)).toEqual({ head: merge, previous: two, forced: false })
    expect((await mirror.log(two, merge)).map(({ sha }) => sha).sort()).toEqual([merge, side].sort())
    expect(await mirror.contains(merge, one)).toBe(true)
    expect(await mirror.contains(one, merge)).toBe(false)
    expect([asked('merge-base'), asked('rev-list')]).toEqual([2, 1])
  })

  test('tells who wrote what lies between two commits, however many there are; of rewritten history, everybody who wrote any of it', async () => {
    const source = fixture.repository('orders')
    const first = source.commit({ a: '1', b: '1' })
    const many = Array.from({ length: 1_200 }, (_, at) => `commit refs/heads/main\nauthor X <${at === 0 ? 'early' : 'late'}@shop.example> ${1_790_000_000 + at} +0000\ncommitter X <x@shop.example> ${1_790_000_000 + at} +0000\ndata 0\n${at === 0 ? `from ${first}\n` : ''}M 100644 inline ${at === 0 ? 'a' : 'b'}\ndata 5\n${String(at).padStart(5)}\n`)
    execFileSync('git', ['--git-dir', source.path, 'fast-import', '--quiet'], { input: many.join('') })
    const last = source.run('rev-parse', 'refs/heads/main')
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    expect(await mirror.authors(first, last)).toEqual(['early@shop.example', 'late@shop.example'])
    expect(await mirror.authors(first, last, ['b'])).toEqual(['late@shop.example'])
    expect(await mirror.authors(last, last)).toEqual([])
    // Back to where it was, and to what has never been here.
    expect(await mirror.authors(last, first)).toEqual(['ada@shop.example', 'early@shop.example', 'late@shop.example'])
    expect(await mirror.authors('1'.repeat(40), last)).toEqual(['ada@shop.example', 'early@shop.example', 'late@shop.example'])
    await expect(mirror.authors(first, '1'.repeat(40))).rejects.toMatchObject({ code: 'git-failed' })
  })

  test('tells which paths differ: content, mode, link, and existence', async () => {
    const source = fixture.repository('orders')
    const same = { same: 'x', 'deep/down/same': 'x' }
    const a = source.commit({ ...same, content: '1', mode: 'x', link: { link: 'same' }, gone: 'x', moved: 'moved text' })
    const b = source.commit({ ...same, content: '2', mode: { mode: '100755', content: 'x' }, link: 'same', come: 'x', to: 'moved text', 'deep/new\nline ü': 'x' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    expect((await mirror.changed(a, b)).sort()).toEqual(['come', 'content', 'deep/new\nline ü', 'gone', 'link', 'mode', 'moved', 'to'])
    expect(await mirror.changed(b, b)).toEqual([])
    expect((await mirror.changed(undefined, a)).sort()).toEqual(['content', 'deep/down/same', 'gone', 'link', 'mode', 'moved', 'same'])
  })

  test('shares one fetch among many callers, and every one sees what was there when it asked', async () => {
    const source = fixture.repository('orders')
    const mirror = fixture.mirror(source.path)
    source.commit({ a: '1' })
    const early = Array.from({ length: 20 }, () => mirror.fetch(never))
    const head = source.commit({ a: '2' })
    const late = Array.from({ length: 20 }, () => mirror.fetch(never))
    await Promise.all(early)
    expect((await Promise.all(late)).map((result) => result.head)).toEqual(Array.from({ length: 20 }, () => head))
    const reads = await Promise.all(Array.from({ length: 200 }, () => mirror.reader(head).entry('a')))
    expect(new Set(reads.map((entry) => entry?.id)).size).toBe(1)
  })
})

describe('a mirror that was damaged', () => {
  const gitDir = (): string => join(fixture.folder, 'mirrors/orders/repository.git')

  test('is made anew when its objects are gone, and still holds what was kept', async () => {
    const source = fixture.repository('orders')
    const kept = source.commit({ a: '1' })
    const head = source.commit({ a: '2' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    await mirror.keep(kept)
    rmSync(join(gitDir(), 'objects'), { recursive: true })
    mkdirSync(join(gitDir(), 'objects'))
    mirror.close()
    expect(await mirror.fetch(never)).toMatchObject({ head })
    expect(await mirror.reader(kept).entry('a')).toMatchObject({ type: 'blob' })
    expect(readdirSync(join(gitDir(), 'refs/plumbline/keep'))).toEqual([kept])
  })

  test('is asked what it holds, not remembered: what it lost is held again', async () => {
    const source = fixture.repository('orders')
    const kept = source.commit({ a: '1' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    await mirror.keep(kept)
    rmSync(join(gitDir(), 'refs/plumbline/keep', kept))
    expect(await mirror.kept()).toEqual([])
    await mirror.keep(kept)
    expect(await mirror.kept()).toEqual([kept])
  })

  test('says that it cannot tell a ref, not that there is none: a head of records that was cut would pass for a new one', async () => {
    const source = fixture.repository('orders')
    source.commit({ a: '1' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    mirror.close()
    writeFileSync(join(gitDir(), 'config'), '[core')
    await expect(mirror.id('refs/heads/main')).rejects.toMatchObject({ code: 'mirror-corrupt' })
  })

  test('is made anew after a read found it corrupt, and is left as it is while the remote is away', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ big: Buffer.alloc(100_000, 'x'), a: '1' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    const entry = await mirror.reader(head).entry('a')
    const loose = join(gitDir(), 'objects', entry?.id.slice(0, 2) ?? '', entry?.id.slice(2) ?? '')
    truncateSync(loose, 3)
    mirror.close()
    await expect(mirror.reader(head).read(entry!)).rejects.toMatchObject({ code: 'mirror-corrupt' })
    renameSync(source.path, `${source.path}.away`)
    await expect(mirror.fetch(never)).rejects.toMatchObject({ code: 'repository-unreachable' })
    expect(await mirror.head()).toBe(head)
    renameSync(`${source.path}.away`, source.path)
    await mirror.fetch(never)
    expect((await mirror.reader(head).read(entry!)).toString('utf8')).toBe('1')
  })

  test('carries what was kept into the new one, also what the remote has forgotten', async () => {
    const source = fixture.repository('orders')
    const base = source.commit({ a: 'base' })
    const lost = source.commit({ a: 'lost' })
    const mirror = fixture.mirror(source.path)
    await mirror.fetch(never)
    await mirror.keep(base)
    await mirror.keep(lost)
    const head = source.commit({ a: 'head' }, { from: base })
    source.run('gc', '--prune=now', '--quiet')
    await mirror.fetch(never)
    const blob = source.run('rev-parse', `${head}:a`)
    truncateSync(join(gitDir(), 'objects', blob.slice(0, 2), blob.slice(2)), 3)
    mirror.close()
    const text = async (commit: string): Promise<string> => (await mirror.reader(commit).read((await mirror.reader(commit).entry('a'))!)).toString('utf8')
    await expect(text(head)).rejects.toMatchObject({ code: 'mirror-corrupt' })
    expect(await mirror.fetch(never)).toMatchObject({ head })
    expect([await text(head), await text(lost), await text(base)]).toEqual(['head', 'lost', 'base'])
    expect(readdirSync(join(gitDir(), 'refs/plumbline/keep')).sort()).toEqual([base, lost].sort())
    expect(readdirSync(join(gitDir(), '..')).sort()).toEqual(['config', 'repository.git'])
  })

  test('is made where nothing, or something else, is in its place', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ a: '1' })
    mkdirSync(gitDir(), { recursive: true })
    writeFileSync(join(gitDir(), 'HEAD'), 'nonsense')
    expect(await fixture.mirror(source.path).fetch(never)).toMatchObject({ head })
  })

  test('is freed of the locks that a killed fetch left, old or young', async () => {
    const source = fixture.repository('orders')
    source.commit({ a: '1' })
    await fixture.mirror(source.path).fetch(never)
    const left = ['refs/heads/main.lock', 'packed-refs.lock', 'objects/pack/tmp_pack_abc123', 'HEAD.lock'].map((path) => join(gitDir(), path))
    for (const path of left) writeFileSync(path, '')
    for (const path of left.slice(1)) utimesSync(path, 1_700_000_000, 1_700_000_000)
    const head = source.commit({ a: '2' })
    expect(await fixture.mirror(source.path).fetch(never)).toMatchObject({ head })
    expect(left.filter((path) => existsSync(path))).toEqual([])
  })

  test('an aborted fetch ends, and the next one is whole', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ a: '1', b: Buffer.alloc(20 * 1024 * 1024, 'abc') })
    const mirror = fixture.mirror(source.path)
    const abort = new AbortController()
    const fetching = mirror.fetch(abort.signal)
    setImmediate(() => abort.abort(new Error('enough')))
    await expect(fetching).rejects.toThrow('enough')
    expect(await mirror.fetch(never)).toMatchObject({ head })
    expect(readdirSync(join(gitDir(), 'refs/heads'))).toEqual(['main'])
  })

  test('tidies what many fetches left, without losing a commit', async () => {
    const source = fixture.repository('orders')
    const mirror = fixture.mirror(source.path)
    for (let index = 0; index < 5; index += 1) {
      source.commit({ a: String(index) })
      await mirror.fetch(never)
    }
    await mirror.tidy(never)
    expect(await mirror.log(undefined, (await mirror.head()) ?? '')).toHaveLength(5)
  })

  test('is whole again after its process was killed while it fetched, at any moment', async () => {
    const source = fixture.repository('orders')
    const dir = join(fixture.folder, 'mirrors/orders')
    const script = `
      import { systemClock } from '#lib/clock.ts'
      import { openMirror } from '#source/mirror.ts'
      const mirror = openMirror({ git: ${JSON.stringify(fixture.git)}, dir: ${JSON.stringify(dir)}, name: 'orders', url: ${JSON.stringify(source.path)}, branch: 'main', clock: systemClock })
      console.log('fetching')
      await mirror.fetch(new AbortController().signal)
      console.log('fetched')`
    const root = join(import.meta.dirname, '../..')
    for (const delayMs of [0, 10, 20, 40]) {
      const head = source.commit({ a: String(delayMs), big: Buffer.alloc(8 * 1024 * 1024, `${delayMs} and more `) })
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await systemClock.sleep(delayMs) // not to wait for something, but to hit another moment
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      const mirror = fixture.mirror(source.path)
      expect(await mirror.fetch(never)).toMatchObject({ head })
      mirror.close()
      source.run('--git-dir', gitDir(), 'fsck', '--strict', '--no-dangling')
    }
  })
})
