import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TreeReader } from '#model/tree.ts'
import { Fixture, never } from './fixture.ts'

let fixture: Fixture
beforeEach(() => {
  fixture = new Fixture()
})
afterEach(() => fixture[Symbol.dispose]())

async function readerOf(files: Parameters<ReturnType<Fixture['repository']>['commit']>[0], limits = {}): Promise<TreeReader> {
  const source = fixture.repository('orders')
  source.commit(files)
  const mirror = fixture.mirror(source.path, { limits })
  return mirror.reader((await mirror.fetch(never)).head)
}

describe('a reader', () => {
  test('finds files, folders and links, and says what is not there', async () => {
    const reader = await readerOf({ 'a/b/c.yaml': 'c', 'a/b.yaml': 'b', 'a/link': { link: '../../etc/passwd' }, 'a-b': 'x' })
    expect(await reader.entry('a/b/c.yaml')).toMatchObject({ path: 'a/b/c.yaml', type: 'blob' })
    expect(await reader.entry('./a//b/')).toMatchObject({ path: 'a/b', type: 'tree' })
    expect(await reader.entry('a/x/../b/c.yaml')).toMatchObject({ path: 'a/b/c.yaml' })
    expect(await reader.entry('')).toMatchObject({ path: '', type: 'tree' })
    expect((await reader.list('a'))?.map(({ path, type }) => [path, type])).toEqual([['a/b', 'tree'], ['a/b.yaml', 'blob'], ['a/link', 'link']])
    expect((await reader.walk('.')).map(({ path }) => path)).toEqual(['a-b', 'a/b.yaml', 'a/b/c.yaml', 'a/link'])
    expect((await reader.walk('a/b.yaml')).map(({ path }) => path)).toEqual(['a/b.yaml'])
    expect([await reader.entry('a/none'), await reader.entry('a/b.yaml/c'), await reader.list('none'), await reader.list('a-b'), await reader.walk('none')]).toEqual([undefined, undefined, undefined, undefined, []])
  })

  test('tells a link from a file, and follows none', async () => {
    const reader = await readerOf({ 'real/file': 'x', link: { link: 'real' } })
    const link = await reader.entry('link')
    expect(link).toMatchObject({ type: 'link' })
    expect((await reader.read(link!)).toString('utf8')).toBe('real')
    expect(await reader.entry('link/file')).toBe(undefined)
    expect(await reader.list('link')).toBe(undefined)
  })

  test.each(['..', '../x', 'a/../../x', '/etc/passwd', '/', 'a/b/../../../orders/a'])('refuses a path that leaves the repository: %s', async (path) => {
    const reader = await readerOf({ 'a/b': 'x' })
    for (const ask of ['entry', 'list', 'walk'] as const) await expect(reader[ask](path)).rejects.toMatchObject({ code: 'path-outside-repository' })
  })

  test('reads names that shells and line formats stumble over', async () => {
    const names = ['-rf', '--upload-pack=touch x', 'new\nline', ' spaces ', 'tab\tand"quote"', 'ünïcödé-日本', '$(touch x)', 'a:b', '*', '__proto__', 'back\\slash', 'HEAD^{tree}']
    const reader = await readerOf(Object.fromEntries(names.map((name) => [`odd/${name}`, `content of ${name}`])))
    expect((await reader.walk('odd')).map(({ path }) => path).sort()).toEqual(names.map((name) => `odd/${name}`).sort())
    for (const name of names) {
      const entry = await reader.entry(`odd/${name}`)
      expect(entry && (await reader.read(entry)).toString('utf8')).toBe(`content of ${name}`)
    }
  })

  test('refuses a file of 50 MB, and goes on reading', async () => {
    const reader = await readerOf({ big: Buffer.alloc(50 * 1024 * 1024, 'plumb'), small: 'small' })
    const [big, small] = [await reader.entry('big'), await reader.entry('small')]
    const [refused, read] = await Promise.allSettled([reader.read(big!), reader.read(small!)])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'file-too-large', subject: 'orders/big' } })
    expect(read).toMatchObject({ status: 'fulfilled', value: Buffer.from('small') })
    expect(refused.status === 'rejected' && refused.reason.message).toContain('52428800 bytes; the limit is 8388608')
  })

  test('reads a file of exactly the limit, an empty one, and bytes as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256))
    const reader = await readerOf({ bytes, empty: '', over: Buffer.alloc(1025) }, { maxBlobBytes: 1024 })
    expect(await reader.read((await reader.entry('bytes'))!)).toEqual(bytes)
    expect(await reader.read((await reader.entry('empty'))!)).toEqual(Buffer.alloc(0))
    await expect(reader.read((await reader.entry('over'))!)).rejects.toMatchObject({ code: 'file-too-large' })
  })

  test('reads a thousand files at once, quickly', async () => {
    const reader = await readerOf(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`apps/a${index % 40}/f${index}.yaml`, `n: ${index}\n`.repeat(50)])))
    const start = performance.now()
    const entries = await reader.walk('')
    const contents = await Promise.all(entries.map((entry) => reader.read(entry)))
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(new Set(contents.map(String)).size).toBe(1_000)
    expect(contents[entries.findIndex(({ path }) => path === 'apps/a7/f7.yaml')]?.toString('utf8')).toMatch(/^n: 7\n/)
  })

  test('that waits while its mirror is closed is told so, and reads again afterwards', async () => {
    const source = fixture.repository('orders')
    source.commit({ a: 'a' })
    const mirror = fixture.mirror(source.path)
    const reader = mirror.reader((await mirror.fetch(never)).head)
    const entry = await reader.entry('a')
    const waiting = reader.read(entry!)
    mirror.close()
    await expect(waiting).rejects.toMatchObject({ code: 'mirror-closed', retry: 'now' })
    expect((await reader.read(entry!)).toString('utf8')).toBe('a')
  })

  test('refuses to read a folder or a submodule as a file', async () => {
    const source = fixture.repository('orders')
    const commit = source.commit({ 'folder/file': 'x' })
    const tree = git(source.path, ['mktree', '--missing'], `160000 commit ${'ab'.repeat(20)}\tsub\n040000 tree ${source.run('rev-parse', `${commit}:folder`)}\tfolder\n`)
    source.run('update-ref', 'refs/heads/main', git(source.path, ['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', tree, '-m', 'x']))
    const mirror = fixture.mirror(source.path)
    const reader = mirror.reader((await mirror.fetch(never)).head)
    for (const path of ['sub', 'folder']) await expect(reader.read((await reader.entry(path))!)).rejects.toMatchObject({ code: 'not-a-file', subject: `orders/${path}` })
    expect((await reader.walk('')).map(({ path }) => path)).toEqual(['folder/file'])
  })

  test('refuses commits that it does not have, and what is no commit id', async () => {
    const mirror = fixture.mirror(fixture.repository('orders').path)
    fixture.repository('orders').commit({ a: '1' })
    await mirror.fetch(never)
    await expect(mirror.reader('0'.repeat(40)).entry('a')).rejects.toMatchObject({ code: 'commit-unknown' })
    for (const id of ['HEAD', 'main', '--all', '', 'abc', `${'0'.repeat(39)}\n`, 'refs/heads/main']) {
      expect(() => mirror.reader(id)).toThrow(expect.objectContaining({ code: 'commit-unknown' }))
      await expect(mirror.changed(undefined, id)).rejects.toMatchObject({ code: 'commit-unknown' })
      await expect(mirror.keep(id)).rejects.toMatchObject({ code: 'commit-unknown' })
      await expect(mirror.log(id, '0'.repeat(40))).rejects.toMatchObject({ code: 'commit-unknown' })
    }
  })
})

describe('a hostile tree', () => {
  /** Writes a tree that git itself would refuse to make. */
  const commitTree = (path: string, tree: Buffer): string => {
    const id = git(path, ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], tree)
    const commit = git(path, ['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', id, '-m', 'x'])
    git(path, ['update-ref', 'refs/heads/main', commit])
    return id
  }

  test.each(['..', '.', '.git', '.GIT', 'a/b', '../../etc/cron.d/x'])('with an entry named %s is refused', async (name) => {
    const source = fixture.repository('orders')
    const blob = git(source.path, ['hash-object', '-w', '--stdin'], 'x')
    commitTree(source.path, Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]))
    const mirror = fixture.mirror(source.path)
    const head = (await mirror.fetch(never)).head
    await expect(mirror.reader(head).walk('')).rejects.toMatchObject({ code: 'path-outside-repository' })
  })

  test('that unfolds to billions of files is refused at the limit, quickly', async () => {
    const source = fixture.repository('orders')
    let [mode, id] = ['100644', git(source.path, ['hash-object', '-w', '--stdin'], 'x')]
    for (let depth = 0; depth < 10; depth += 1) {
      const tree = Buffer.concat(Array.from({ length: 10 }, (_, index) => [Buffer.from(`${mode} ${index}\0`), Buffer.from(id, 'hex')]).flat())
      id = git(source.path, ['hash-object', '-t', 'tree', '-w', '--stdin'], tree)
      mode = '40000'
    }
    git(source.path, ['update-ref', 'refs/heads/main', git(source.path, ['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', id, '-m', 'x'])])
    const mirror = fixture.mirror(source.path)
    await expect(mirror.reader((await mirror.fetch(never)).head).walk('')).rejects.toMatchObject({ code: 'tree-too-large' })
  })
})

function git(path: string, args: string[], input: string | Buffer = ''): string {
  return execFileSync('git', ['--git-dir', path, ...args], { input, env: { ...fixture.git.env, HOME: join(fixture.folder) } }).toString('utf8').trim()
}
