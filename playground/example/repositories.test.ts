import { createHmac } from 'node:crypto'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { load, loadAll } from 'js-yaml'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensureRepositories, resetRepositories } from './repositories.ts'

const run = promisify(execFile)
const values = { 'dns.sandbox': '127.0.0.1:1', 'dns.staging': '127.0.0.1:2', 'dns.production': '127.0.0.1:3', 'audit.sandbox': '/audit/sandbox.log', 'audit.staging': '/audit/staging.log', 'audit.production': '/audit/production.log', credentials: '/playground/credentials', 'database.host': '127.0.0.1', 'database.port': '5432', 'ingress.sandbox': 'http://127.0.0.1:1', 'ingress.staging': 'http://127.0.0.1:2', 'ingress.production': 'http://127.0.0.1:3' }

describe('the example repositories', () => {
  let dir: string
  let paths: Record<string, string>
  const servers: Server[] = []
  const env = (): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@orders.example',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@orders.example',
  })
  const git = (...args: string[]): string => execFileSync('git', args, { env: env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const show = (name: string, file: string): string => git('-C', paths[name] ?? '', 'show', `main:${file}`)
  const files = (name: string): string[] => git('-C', paths[name] ?? '', 'ls-tree', '-r', '--name-only', 'main').trim().split('\n')
  const head = (name: string): string => git('-C', paths[name] ?? '', 'rev-parse', 'main').trim()
  /** Clones, commits a change and pushes; answers what the person sees. */
  const push = async (name: string): Promise<string> => {
    const clone = join(dir, `clone-${name}`)
    rmSync(clone, { recursive: true, force: true })
    git('clone', '--quiet', paths[name] ?? '', clone)
    writeFileSync(join(clone, 'README.md'), 'changed\n')
    git('-C', clone, 'commit', '--quiet', '--all', '--message', 'A change')
    return (await run('git', ['-C', clone, 'push', '--quiet'], { env: env() })).stderr
  }

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-example-'))
    paths = await ensureRepositories({ dir, values, searchPath: process.env['PATH'] ?? '' })
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
    rmSync(dir, { recursive: true, force: true })
  })

  test('have a history by several authors, the same every time', async () => {
    expect(Object.keys(paths).sort()).toEqual(['orders', 'platform', 'storefront'])
    const log = git('-C', paths['orders'] ?? '', 'log', '--format=%an <%ae> %aI %s', 'main').trim().split('\n')
    expect(log).toHaveLength(5)
    expect(log[0]).toBe('Ada Park <ada@orders.example> 2026-11-03T09:40:00+00:00 orders-api 1.4.1')
    expect(git('-C', paths['orders'] ?? '', 'show', 'main~1:deploy/sandbox/deployment.yaml')).toContain(':1.4.0')
    expect(show('orders', 'deploy/sandbox/deployment.yaml')).toContain(':1.4.1')
    const heads = Object.keys(paths).map(head)
    await resetRepositories({ dir, values, searchPath: process.env['PATH'] ?? '' })
    expect(Object.keys(paths).map(head)).toEqual(heads)
  })

  test('hold YAML alone that names this playground’s addresses and leaves no placeholder of its own', () => {
    for (const name of Object.keys(paths)) {
      const yaml = files(name).filter((file) => file.endsWith('.yaml'))
      expect(yaml.length).toBeGreaterThan(5)
      for (const file of yaml) {
        const text = show(name, file)
        expect(text).not.toContain('${playground')
        for (const document of loadAll(text)) expect(document).toMatchObject({ apiVersion: expect.any(String), kind: expect.any(String) })
      }
    }
    expect(load(show('platform', 'environments/staging.yaml'))).toMatchObject({ spec: { addresses: { ingress: 'http://127.0.0.1:2' } } })
  })

  test('are not made with a placeholder that nobody fills', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'plumb-example-'))
    try {
      await expect(ensureRepositories({ dir: elsewhere, values: {}, searchPath: process.env['PATH'] ?? '' })).rejects.toMatchObject({ code: 'playground-repository', message: expect.stringContaining('${playground.') })
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  })

  test('stay inside their teams’ namespaces, and hold no Secret', () => {
    for (const name of ['orders', 'storefront']) {
      for (const file of files(name).filter((path) => /^deploy\/[^/]+\/.*\.yaml$/.test(path))) {
        const manifest = load(show(name, file))
        expect(manifest).toMatchObject({ metadata: { namespace: name } })
        expect(manifest).not.toMatchObject({ kind: 'Secret' })
      }
    }
  })

  test('a push sends a signed notice', async () => {
    const secret = 'the secret of the hook'
    const got: { body: string; signature: unknown }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        got.push({ body, signature: request.headers['x-plumbline-signature-256'] })
        response.writeHead(202).end()
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    writeFileSync(join(dir, 'notify.json'), JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, secret }), { mode: 0o600 })
    const before = head('orders')
    expect(await push('orders')).toBe('')
    expect(got).toHaveLength(1)
    expect(JSON.parse(got[0]?.body ?? '')).toEqual({ repository: 'orders', ref: 'refs/heads/main', before, after: head('orders') })
    expect(got[0]?.signature).toBe(`sha256=${createHmac('sha256', secret).update(got[0]?.body ?? '').digest('hex')}`)
  })

  test('a reset is told as a push is, for each repository', async () => {
    const got: { repository: string; after: string }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        got.push(JSON.parse(body) as (typeof got)[number])
        response.writeHead(202).end()
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    writeFileSync(join(dir, 'notify.json'), JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, secret: 's' }), { mode: 0o600 })
    await resetRepositories({ dir, values, searchPath: process.env['PATH'] ?? '' })
    expect(got.map(({ repository, after }) => [repository, after]).sort()).toEqual(Object.keys(paths).sort().map((name) => [name, head(name)]))
  })

  test.each([
    ['nobody has written where to', undefined],
    ['nobody listens', JSON.stringify({ url: 'http://127.0.0.1:9/hook', secret: 's' })],
    ['the file is broken', '{'],
  ])('a push succeeds and says so when %s', async (_, content) => {
    if (content !== undefined) writeFileSync(join(dir, 'notify.json'), content)
    const before = head('storefront')
    expect(await push('storefront')).toMatch(/remote: plumbline: no control plane listens now/)
    expect(head('storefront')).not.toBe(before)
  })

  test('what was pushed stays at the next start, and goes with a reset', async () => {
    const first = head('orders')
    await push('orders')
    const pushed = head('orders')
    await ensureRepositories({ dir, values, searchPath: process.env['PATH'] ?? '' })
    expect(head('orders')).toBe(pushed)
    const refs = (): string[] => git('-C', paths['orders'] ?? '', 'for-each-ref', '--format=%(objectname) %(refname)').trim().split('\n')
    for (const ref of ['refs/plumbline/checkpoints/production', 'refs/notes/plumbline', 'refs/heads/mine', 'refs/tags/v1']) git('-C', paths['orders'] ?? '', 'update-ref', ref, pushed)
    await resetRepositories({ dir, values, searchPath: process.env['PATH'] ?? '' })
    expect(head('orders')).toBe(first)
    // What the control plane published there is no part of the example.
    expect(refs()).toEqual([`${first} refs/heads/main`, `${pushed} refs/notes/plumbline`, `${pushed} refs/plumbline/checkpoints/production`])
  })

  test('the hook runs whatever hooks the pusher has configured', async () => {
    spawnSync('git', ['config', '--global', 'core.hooksPath', '/nowhere'], { env: env() })
    expect(await push('orders')).toMatch(/no control plane listens/)
  })
})
