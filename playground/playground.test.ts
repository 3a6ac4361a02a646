import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { nodes, pods } from './controllers/kinds.ts'
import { startPlayground, type Playground } from './playground.ts'

describe('the playground', () => {
  let dirs: string[]
  let running: Playground[]
  const newDir = (): string => {
    const dir = mkdtempSync(join(tmpdir(), 'plumb-playground-'))
    dirs.push(dir)
    return dir
  }
  const start = async (dir: string, environments?: readonly string[]): Promise<Playground> => {
    const playground = await startPlayground({ dir, clock: systemClock, log: () => {}, ...(environments === undefined ? {} : { environments }) })
    running.push(playground)
    return playground
  }

  beforeEach(() => {
    dirs = []
    running = []
  })
  afterEach(async () => {
    await Promise.all(running.map((playground) => playground.stop()))
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
  })

  test('starts one cluster an environment, with a private kubeconfig that has a context for each', async () => {
    const playground = await start(newDir())
    expect(Object.keys(playground.clusters)).toEqual(['sandbox', 'staging', 'production'])
    const config = JSON.parse(readFileSync(playground.kubeconfig, 'utf8')) as { users: { name: string }[]; contexts: { name: string }[]; clusters: { cluster: { server: string } }[] }
    expect(config.contexts.map(({ name }) => name)).toEqual(['sandbox', 'staging', 'production'])
    expect(config.clusters.map(({ cluster }) => cluster.server)).toEqual(Object.values(playground.clusters).map(({ api }) => api.url))
    expect(config.users.map(({ name }) => name)).toEqual(expect.arrayContaining(['production', 'noor@production', 'ada@staging', 'sam@sandbox']))
    expect(statSync(playground.kubeconfig).mode & 0o777).toBe(0o600)
    for (const { objects } of Object.values(playground.clusters)) expect(objects.get(nodes, '', 'playground')).toBeDefined()
    expect(Object.keys(playground.repositories)).toEqual(['platform', 'orders', 'storefront'])
  })

  test('has the same addresses after a restart, so that Git stays true', async () => {
    const dir = newDir()
    const first = await start(dir)
    const places = Object.values(first.clusters).map((cluster) => cluster.places)
    await first.stop()
    const second = await start(dir)
    expect(Object.values(second.clusters).map((cluster) => cluster.places)).toEqual(places)
  })

  test('keeps an audit log of each cluster, for its owner alone', async () => {
    const { clusters } = await start(newDir(), ['sandbox'])
    const { auditLog } = clusters['sandbox'] as Playground['clusters'][string]
    const lines = (): string[] => readFileSync(auditLog, 'utf8').trimEnd().split('\n')
    await until(() => existsSync(auditLog) && lines().some((line) => line.includes('"resource":"nodes"')))
    expect(JSON.parse(lines().find((line) => line.includes('"resource":"nodes"')) ?? '')).toMatchObject({ kind: 'Event', user: { username: 'system:node:playground' }, verb: 'create' })
    expect(statSync(auditLog).mode & 0o777).toBe(0o600)
  })

  test('two in one folder are refused, and the first goes on', async () => {
    const dir = newDir()
    const first = await start(dir, ['sandbox'])
    await expect(start(dir, ['sandbox'])).rejects.toMatchObject({ code: 'playground-locked', subject: dir })
    expect(first.clusters['sandbox']?.objects.get(nodes, '', 'playground')).toBeDefined()
    await first.stop()
    await start(dir, ['sandbox'])
  })

  test('several side by side do not collide', async () => {
    const both = await Promise.all([start(newDir(), ['a', 'b']), start(newDir(), ['a', 'b'])])
    const places = both.flatMap((playground) => Object.values(playground.clusters).map((cluster) => cluster.places))
    expect(new Set(places.flatMap(({ apiPort, ingressPort, block }) => [apiPort, ingressPort, block])).size).toBe(12)
  })

  test('a broken playground.json is told, not guessed', async () => {
    const dir = newDir()
    writeFileSync(join(dir, 'playground.json'), '{"environments": {"sandbox": {}}}')
    await expect(start(dir, ['sandbox'])).rejects.toMatchObject({ code: 'playground-state', subject: join(dir, 'playground.json') })
  })

  test('an ingress port that somebody else has taken is told with its number', async () => {
    const dir = newDir()
    const first = await start(dir, ['sandbox'])
    const port = first.clusters['sandbox']?.places.ingressPort ?? 0
    await first.stop()
    const other = newDir()
    writeFileSync(join(other, 'playground.json'), JSON.stringify({ environments: { sandbox: { apiPort: 0, ingressPort: port, block: '127.77.2' } } }))
    await start(other, ['sandbox'])
    await expect(start(dir, ['sandbox'])).rejects.toMatchObject({ code: 'playground-ingress-port', subject: `127.0.0.1:${port}` })
  })

  test('kill -9 leaves no pod behind, and the next start brings the pods back', async () => {
    const dir = newDir()
    const manifest = { metadata: { name: 'echo', namespace: 'default' }, spec: { containers: [{ name: 'echo', image: 'registry.shop.example/tools/echo:1.0.0' }] } }
    const program = `
      import { startPlayground } from '#playground/playground.ts'
      import { systemClock } from '#lib/clock.ts'
      import { pods } from '#playground/controllers/kinds.ts'
      const { clusters } = await startPlayground({ dir: ${JSON.stringify(dir)}, clock: systemClock, log: () => {}, environments: ['one'] })
      const { objects, api } = clusters.one
      objects.watch(pods, ({ object }) => {
        const id = object.status?.containerStatuses?.[0]?.containerID
        if (object.status?.containerStatuses?.[0]?.ready) process.stdout.write(id + '\\n')
      })
      objects.create(pods, ${JSON.stringify(manifest)}, 'test')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const first = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').once('data', resolve)
      child.once('exit', (code) => reject(new Error(`it ended with ${code}`)))
    })
    const pid = Number(/process:\/\/(\d+)/.exec(first)?.[1])
    expect(isAlive(pid)).toBe(true)
    child.kill('SIGKILL')
    await until(() => !isAlive(pid))
    const again = await start(dir, ['one'])
    const status = () => again.clusters['one']?.objects.get(pods, 'default', 'echo')?.status?.containerStatuses?.[0]
    await until(() => status()?.ready === true)
    expect(status()?.containerID).not.toBe(`process://${pid}`)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!what()) {
    if (Date.now() > end) throw new Error(`not within 10 s: ${what.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
