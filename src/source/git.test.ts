import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { GitCredentials } from './credentials.ts'
import { Fixture, never } from './fixture.ts'
import { complaint, git, gitCommand } from './git.ts'
import { remoteOf, repositoryKey } from './url.ts'

let fixture: Fixture
beforeEach(() => {
  fixture = new Fixture()
})
afterEach(() => fixture[Symbol.dispose]())

describe('a URL', () => {
  test.each([
    '--upload-pack=touch x', '-x', 'ext::sh -c touch% x', 'fd::17', 'ext::x', 'git://host/x', 'http://host/x', 'ftp://host/x', 'ssh://-oProxyCommand=x/y', 'ssh://host/-x',
    'ssh://-x@host/y', '-x@host:y', 'host:-x', 'host::x', '../relative', '.', '', 'https://', 'file://host/x', 'https://host/x\n--upload-pack', 'x'.repeat(3_000), 'user@-host:x', 'javascript:alert(1) x',
  ])('that is not one, or is not safe, is refused: %j', (url) => {
    expect(() => remoteOf(url, 'orders')).toThrow(expect.objectContaining({ code: 'repository-url-refused', subject: 'orders' }))
  })

  test.each(['https://user:canary-1@host/x', 'https://canary-1@host/x', 'ssh://git:canary-1@host/x', 'http://canary-1@localhost/x'])('with credentials in it is refused, and not repeated: %j', (url) => {
    const error = (() => {
      try {
        return remoteOf(url, 'orders')
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code: 'repository-url-refused', hint: expect.stringContaining('secretRef') })
    expect(inspect(error, { depth: 10 })).not.toContain('canary')
  })

  test.each([
    ['https://host/a/b.git', 'https'], ['ssh://git@host:2222/a', 'ssh'], ['git@host.example:a/b.git', 'ssh'], ['host:a', 'ssh'], ['http://localhost:3000/a', 'http'],
    ['/srv/git/a', 'file'], ['file:///srv/git/a%20b', 'file'],
  ])('is read: %s', (url, transport) => {
    expect(remoteOf(url, 'orders').transport).toBe(transport)
  })

  test('is the same repository, however it is reached', () => {
    expect(new Set(['https://Host/a/b.git', 'ssh://git@host:22/a/b', 'git@host:a/b.git', 'https://host/a/b/'].map(repositoryKey))).toEqual(new Set(['host/a/b']))
    expect(repositoryKey('https://host/a/b2')).not.toBe(repositoryKey('https://host/a/b'))
  })
})

test.each(['--upload-pack=x', '-b', 'a..b', 'a b', 'a:b', 'a~1', 'a^', '', 'a/', '/a', 'a//b', '.a', 'a/.b', 'a.lock', 'a@{1}', 'a\nb', 'a\\b', '@', 'a*', 'a.'])(
  'a branch that Git would not have is refused: %j',
  (branch) => {
    expect(() => fixture.mirror('/srv/x', { branch })).toThrow(expect.objectContaining({ code: 'branch-name-invalid' }))
  },
)

test('nothing that a repository brings is run: hooks, filters, fsmonitor, aliases, a pager', async () => {
  const source = fixture.repository('orders')
  const mark = join(fixture.folder, 'was-run')
  const script = `#!/bin/sh\ntouch '${mark}'\nexit 0\n`
  const program = join(fixture.folder, 'program')
  writeFileSync(program, script, { mode: 0o755 })
  const trap = (gitDir: string): void => {
    mkdirSync(join(gitDir, 'hooks'), { recursive: true })
    for (const hook of ['reference-transaction', 'post-checkout', 'pre-auto-gc', 'pre-receive', 'update', 'post-update', 'pre-push', 'fsmonitor-watchman']) {
      writeFileSync(join(gitDir, 'hooks', hook), script, { mode: 0o755 })
    }
    const settings = [
      'core.fsmonitor', 'core.sshCommand', 'core.pager', 'uploadpack.packObjectsHook', 'diff.external', 'filter.x.smudge', 'filter.x.process', 'credential.helper', 'alias.fetch',
    ]
    for (const key of settings) execFileSync('git', ['--git-dir', gitDir, 'config', key, key.startsWith('alias') ? `!${program}` : program])
  }
  trap(source.path)
  source.commit({ '.gitattributes': '* filter=x diff=x', '.gitmodules': '[submodule "x"]\npath = x\nurl = ext::sh -c touch% x\nupdate = !touch x', a: '1' })
  const mirror = fixture.mirror(source.path)
  rmSync(mark, { force: true }) // the commit ran the hooks of its own repository, as it should
  const { head: first } = await mirror.fetch(never)
  expect(existsSync(mark)).toBe(false)
  trap(join(fixture.folder, 'mirrors/orders/repository.git'))
  const second = source.commit({ '.gitattributes': '* filter=x diff=x', a: '2' })
  expect(existsSync(mark)).toBe(true) // the trap itself works
  rmSync(mark)
  await mirror.fetch(never)
  await mirror.keep(second)
  expect(await mirror.changed(first, second)).toEqual(['.gitmodules', 'a'])
  await mirror.log(undefined, second)
  await mirror.tidy(never)
  expect(existsSync(mark)).toBe(false)
})

test('git is called with an environment of its own, and no way to ask anyone', async () => {
  const exit = await git(fixture.git, { subject: 'x', args: ['-c', 'alias.env=!env', 'env'] }).catch((error: unknown) => error)
  expect(String(exit)).toMatch(/^GIT_TERMINAL_PROMPT=0$/m)
  expect(String(exit)).toMatch(/^GIT_ALLOW_PROTOCOL=file:http:https:ssh$/m)
  expect(String(exit)).not.toMatch(/^(VITEST|npm_|USER|DISPLAY)/m)
})

test('what git refuses is told in its words, with what was asked of it', async () => {
  await expect(git(fixture.git, { subject: 'orders', args: ['rev-parse', '--git-dir'], gitDir: join(fixture.folder, 'nowhere') })).rejects.toMatchObject({
    code: 'git-failed', subject: 'orders', message: expect.stringMatching(/^git rev-parse: .*not a git repository/), retry: 'later',
  })
})

test('a folder that somebody else owns is read by its name alone: `safe.directory` is that one', () => {
  const { args } = gitCommand(fixture.git, { subject: 'orders', args: ['rev-parse'], gitDir: '/srv/mirror' })
  expect(args.filter((one) => one.startsWith('safe.directory'))).toEqual(['safe.directory=/srv/mirror'])
  expect(gitCommand(fixture.git, { subject: 'orders', args: ['version'] }).args.join(' ')).not.toContain('safe.directory')
})

test('what a remote says is one line, without control characters, and not the part that always comes', () => {
  expect(complaint('remote: \u001b[31mred\u0007\ngit@host: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n')).toBe(
    'git@host: Permission denied (publickey).',
  )
  expect(complaint('remote: \u001b[31mred\u0007 text')).toBe('remote:  [31mred  text')
  expect(complaint('')).toBe('it said nothing')
  expect(complaint('x'.repeat(5_000)).length).toBeLessThan(310)
})

describe('credentials', () => {
  const token: GitCredentials = { kind: 'token', user: 'git', token: 'canary-token-93' }
  const basic = Buffer.from('git:canary-token-93').toString('base64')

  /** A "dumb" HTTP server over a bare repository, that asks for the token; what is wrong it echoes, as a careless server might. */
  async function serve(folder: string, wanted: string): Promise<{ url: string; close: () => Promise<void> }> {
    const server = createServer((request, response) => {
      const path = join(folder, (request.url ?? '/').split('?')[0] ?? '')
      if (request.headers.authorization !== wanted) {
        const packet = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
        const refusal = `${packet('# service=git-upload-pack\n')}0000${packet(`ERR you sent ${request.headers.authorization} for canary-token-93`)}`
        response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).end(refusal)
      } else if (request.url?.startsWith('/away')) response.writeHead(302, { location: request.url.replace('/away', '/orders') }).end()
      else if (!existsSync(path)) response.writeHead(404).end()
      else response.end(readFileSync(path))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => new Promise((resolve) => server.close(() => resolve())) }
  }

  test('a token is sent, and is in no argument, no file and no failure', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ a: '1' })
    source.run('update-server-info')
    const server = await serve(fixture.folder, `Basic ${basic}`)
    const wrong = await serve(fixture.folder, 'Basic other')
    try {
      const mirror = fixture.mirror(`${server.url}/orders.git`, { credentials: () => Promise.resolve(token) })
      expect(await mirror.fetch(never)).toMatchObject({ head })
      const refused = fixture.mirror(`${wrong.url}/orders.git`, { name: 'wrong', credentials: () => Promise.resolve(token) })
      const error: unknown = await refused.fetch(never).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'repository-unreachable', message: expect.stringContaining('you sent Basic [redacted] for [redacted]') })
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/canary|Z2l0OmNhbmFyeS/)
      expect(() => execFileSync('grep', ['-rlE', `canary-token|${basic}`, join(fixture.folder, 'mirrors'), fixture.git.home])).toThrow(expect.objectContaining({ status: 1 }))
      await expect(fixture.mirror(`${server.url}/away.git`, { name: 'away', credentials: () => Promise.resolve(token) }).fetch(never)).rejects.toMatchObject({ code: 'repository-unreachable' })
    } finally {
      await Promise.all([server.close(), wrong.close()])
    }
  })

  test('an SSH key is a private file while a call lasts, with strict host keys, and gone after', async () => {
    const source = fixture.repository('orders')
    const head = source.commit({ a: '1' })
    const [bin, log] = [join(fixture.folder, 'bin it\'s'), join(fixture.folder, 'ssh.log')]
    mkdirSync(bin)
    // Stands in for ssh: notes how it was called, what the files are, and runs the remote command here.
    const fake = `#!/bin/sh\nprintf '%s\\n' "$@" > '${log}'\nwhile [ $# -gt 1 ]; do [ "$1" = -i ] && { stat -c '%a %A' "$2" "$(dirname "$2")" >> '${log}'; cat "$2" >> '${log}'; }; shift; done\nexec sh -c "$1"\n`
    writeFileSync(join(bin, 'ssh'), fake)
    chmodSync(join(bin, 'ssh'), 0o755)
    const setup = { home: join(fixture.folder, 'a "home" it\'s'), env: { PATH: `${bin}:${process.env['PATH']}` } }
    const key: GitCredentials = { kind: 'ssh', privateKey: 'THE KEY\r\nLINE TWO', knownHosts: 'host ssh-ed25519 AAAA' }
    const mirror = fixture.mirror(`ssh://git@host.invalid${source.path}`, { git: setup, credentials: () => Promise.resolve(key) })
    expect(await mirror.fetch(never)).toMatchObject({ head })
    const seen = readFileSync(log, 'utf8')
    for (const option of ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'GlobalKnownHostsFile=/dev/null', 'IdentitiesOnly=yes', 'git@host.invalid']) expect(seen.split('\n')).toContain(option)
    expect(seen).toContain('\n600 -rw-------\n700 drwx------\nTHE KEY\nLINE TWO\n')
    expect(readdirSync(setup.home)).toEqual([])
  })

  test('the real ssh refuses a host that known_hosts does not name, or does not answer, without asking anyone', async () => {
    const key: GitCredentials = { kind: 'ssh', privateKey: 'canary-key-of-no-use', knownHosts: '' }
    const error: unknown = await fixture.mirror('ssh://git@127.0.0.1:1/x', { credentials: () => Promise.resolve(key) }).fetch(never).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'repository-unreachable', message: expect.stringContaining('refused') })
    expect(inspect(error, { depth: 10 })).not.toContain('canary')
  })

  test.each([['https://host.invalid/x', { kind: 'ssh', privateKey: 'k', knownHosts: 'h' }], ['git@host.invalid:x', token]] as const)(
    'that do not suit the transport are refused: %s',
    async (url, credentials) => {
      await expect(fixture.mirror(url, { credentials: () => Promise.resolve(credentials) }).fetch(never)).rejects.toMatchObject({ code: 'git-credentials-unfit' })
    },
  )
})
