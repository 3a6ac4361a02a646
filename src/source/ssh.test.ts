import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sshdMissing, startSshd } from '../../test/sshd.ts'
import type { Sshd } from '../../test/sshd.ts'
import type { GitCredentials } from './credentials.ts'
import { Fixture, never } from './fixture.ts'
import type { SourceRepository } from './fixture.ts'
import type { Mirror } from './mirror.ts'

const missing = sshdMissing()

describe.skipIf(missing !== undefined)(`a real SSH server${missing === undefined ? '' : ` (${missing})`}`, () => {
  let server: Sshd
  let fixture: Fixture
  let source: SourceRepository
  let count = 0

  beforeAll(async () => {
    fixture = new Fixture()
    source = fixture.repository('orders')
    source.commit({ a: '1' })
    server = await startSshd()
  })
  afterAll(async () => {
    await server?.stop()
    fixture[Symbol.dispose]()
  })

  const mirror = (credentials: Omit<GitCredentials & { kind: 'ssh' }, 'kind'>): Mirror =>
    fixture.mirror(`${server.origin}${source.path}`, { name: `orders-${(count += 1)}`, credentials: () => Promise.resolve({ kind: 'ssh', ...credentials }) })
  /** What the failure says, none of which is the key; and no file of it is left. */
  async function refused(credentials: { privateKey: string; knownHosts: string }): Promise<unknown> {
    const error: unknown = await mirror(credentials).fetch(never).catch((thrown: unknown) => thrown)
    const line = credentials.privateKey.split('\n')[1] ?? ''
    expect(line.length).toBeGreaterThan(20)
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(line)
    expect(readdirSync(fixture.git.home).filter((name) => name.startsWith('ssh-'))).toEqual([])
    return error
  }

  test('lets in who has the key, and is followed and pushed to; nothing of the key is left on the disk', async () => {
    const followed = mirror({ privateKey: server.key, knownHosts: server.knownHosts })
    const head = source.commit({ a: '2' })
    expect(await followed.fetch(never)).toMatchObject({ head })
    const author = { name: 'Plumbline', email: 'plumbline@localhost' }
    await followed.push({ ref: 'refs/plumbline/checkpoints/dev', name: 'head.json', content: '{}\n', message: 'Checkpoint', at: 1_780_000_000_000, author }, never)
    expect(source.run('show', 'refs/plumbline/checkpoints/dev:head.json')).toBe('{}')
    const line = server.key.split('\n')[1] ?? ''
    expect(() => execFileSync('grep', ['-rlF', line, fixture.folder])).toThrow(expect.objectContaining({ status: 1 }))
    expect(readdirSync(fixture.git.home).filter((name) => name.startsWith('ssh-'))).toEqual([])
  })

  test('with carriage returns, and without a line feed at the end, it is the same key', async () => {
    expect(await mirror({ privateKey: server.key.trimEnd().replaceAll('\n', '\r\n'), knownHosts: server.knownHosts }).fetch(never)).toMatchObject({ head: source.run('rev-parse', 'refs/heads/main') })
  })

  test('refuses another key, and that is said', async () => {
    expect(await refused({ privateKey: server.stranger().key, knownHosts: server.knownHosts })).toMatchObject({ code: 'repository-unreachable', message: expect.stringContaining('Permission denied (publickey)'), retry: 'later' })
  })

  test('that is another than known_hosts says, or that it does not know, is sent nothing', async () => {
    const other = server.knownHosts.replace(/ssh-ed25519 .*/, server.stranger().publicKey)
    expect(await refused({ privateKey: server.key, knownHosts: other })).toMatchObject({ code: 'repository-unreachable', message: expect.stringContaining('Host key verification failed') })
    expect(await refused({ privateKey: server.key, knownHosts: '' })).toMatchObject({ code: 'repository-unreachable', message: expect.stringContaining('Host key verification failed') })
  })

  test('without a repository there: that is said', async () => {
    const gone = fixture.mirror(`${server.origin}${source.path}x`, { name: 'gone', credentials: () => Promise.resolve({ kind: 'ssh', privateKey: server.key, knownHosts: server.knownHosts }) })
    await expect(gone.fetch(never)).rejects.toMatchObject({ code: 'repository-unreachable', message: expect.stringContaining('does not appear to be a git repository') })
  })
})
