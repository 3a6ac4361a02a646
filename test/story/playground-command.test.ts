import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Status } from '#api/client.ts'
import { eventually } from '../eventually.ts'
import { root } from '../rooms.ts'

const dir = mkdtempSync(join(tmpdir(), 'plumbline-playground-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const started = new Set<Plumb>()
afterEach(async () => {
  for (const one of started) {
    one.kill('SIGKILL')
    await one.ended
  }
  started.clear()
})

type Plumb = ReturnType<typeof plumb>

/** The PATH of a person: without this package's own programs, where the machine has a Node besides. */
const ownPath = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
const path = ownPath.some((folder) => existsSync(join(folder, 'node'))) ? ownPath.join(':') : process.env['PATH']

/** `bin/plumb` as a person runs it: on whatever Node there is. */
function plumb(...args: string[]) {
  const child = spawn('/usr/bin/env', ['node', join(root, 'bin/plumb'), ...args], { cwd: dir, env: { PATH: path, HOME: dir, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk))
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  const one = {
    text,
    ended,
    pid: child.pid ?? 0,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** As a terminal does it: everything in the foreground hears it, and bin/plumb passes it on besides. */
    ctrlC: () => {
      for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGINT')
      child.kill('SIGINT')
    },
  }
  started.add(one)
  void ended.then(() => started.delete(one))
  return one
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : []
}

/** Processes that have to do with the folder: by their command line, working directory or environment. */
function left(): string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const seen = [command, readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/environ`, 'utf8')]
      return seen.some((one) => one.includes(dir)) ? [command] : []
    } catch {
      return []
    }
  })
}

const playground = (...more: string[]): Plumb => plumb('playground', '--dir', 'here', '--port', '0', ...more)

describe('plumb playground', () => {
  test('--once --json: one JSON document, everything delivered and verified, and no process left', async () => {
    const one = playground('--once', '--json')
    expect(await one.ended).toEqual({ code: 0, signal: null })
    expect(one.text.err).toBe('')
    const status = JSON.parse(one.text.out) as Status
    expect(status.environments.map(({ name }) => name)).toEqual(['sandbox', 'staging', 'production'])
    const modules = status.environments.flatMap((environment) => environment.modules)
    expect(new Set(modules.map((module) => module.delivery))).toEqual(new Set(['synced']))
    expect(modules.every((module) => module.run !== null && module.snapshot !== null)).toBe(true)
    expect(left()).toEqual([])
  }, 120_000)

  test('stays up until Ctrl-C, with commands that work; a second one on the folder is refused; the end is in order', async () => {
    const one = playground()
    await eventually(() => one.text.out.includes('kubectl works too'), 60_000)
    expect(one.text.err).toMatch(/^Starting three [^]*\nThe clusters and the repositories are there; the control plane starts …\nIt is up, reads the repositories and plans …\n/)
    const shown = one.text.out.split('\n').filter((line) => line.startsWith('  ') && line.includes('plumb '))
    expect(shown).toHaveLength(3)
    const show = shown[0]?.trim() ?? ''
    const pasted = spawn('/bin/sh', ['-c', show], { cwd: dir, env: { PATH: path, HOME: dir } })
    let told = ''
    pasted.stdout.setEncoding('utf8').on('data', (chunk: string) => (told += chunk))
    expect(await new Promise((resolve) => pasted.once('close', resolve))).toBe(0)
    expect(told).toMatch(/^run-\S+ {2}\w+ {2}succeeded/)

    const second = playground()
    expect(await second.ended).toEqual({ code: 2, signal: null })
    expect(second.text.err).toContain('playground-locked')

    if (existsSync('/proc/self/environ')) expect(left().length).toBeGreaterThan(5)
    one.ctrlC()
    expect(await one.ended).toEqual({ code: 0, signal: null })
    expect(one.text.err.trimEnd().endsWith('Stopping …')).toBe(true)
    expect(await eventually(() => left().length === 0)).toBe(true)
    // Nothing was said twice.
    const lines = one.text.err.trim().split('\n')
    expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([])
  }, 120_000)

  test.each([
    ['before anything runs', () => true],
    ['while clusters start', (one: Plumb) => one.text.err.includes('Starting')],
    ['while the control plane starts', () => existsSync(join(dir, 'here', 'store', 'lock')) || existsSync(join(dir, 'here', 'server.json'))],
  ])('Ctrl-C %s ends it in order', async (_, reached) => {
    const one = playground()
    await eventually(() => reached(one), 30_000)
    one.kill('SIGINT')
    const { code, signal } = await one.ended
    expect(signal ?? code).toSatisfy((end: number | string) => end === 4 || end === 0 || end === 'SIGINT')
    expect(await eventually(() => left().length === 0)).toBe(true)
  }, 60_000)

  test('a port that is taken is told, and nothing is left', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as AddressInfo
    const one = plumb('playground', '--dir', 'fresh', '--port', String(port))
    expect(await one.ended).toEqual({ code: 2, signal: null })
    taken.close()
    expect(existsSync(join(dir, 'fresh'))).toBe(false)
    expect(one.text.err).toContain(`port-taken: port ${port}: something else listens there already`)
    expect(await eventually(() => left().length === 0)).toBe(true)
  }, 60_000)
})

describe('bin/plumb, on the Node of the PATH', () => {
  test('gives the exit code of the command', async () => {
    const one = plumb('status', '--dir', 'nowhere')
    expect(await one.ended).toEqual({ code: 4, signal: null })
    expect(one.text.err).toContain('server-not-running')
    expect(await plumb('nonsense').ended).toEqual({ code: 2, signal: null })
    expect(await plumb('--help').ended).toEqual({ code: 0, signal: null })
  })

  test('says what to do where it finds no Node that is new enough, and where nothing is installed', () => {
    const bare = join(dir, 'bare')
    mkdirSync(join(bare, 'bin'), { recursive: true })
    for (const file of ['bin/plumb', 'package.json']) copyFileSync(join(root, file), join(bare, file))
    const old = join(dir, 'old.cjs')
    writeFileSync(old, "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })")
    const told = (...more: string[]) => spawnSync(process.execPath, [...more, join(bare, 'bin/plumb'), 'status'], { cwd: dir, env: { PATH: join(bare, 'bin') }, encoding: 'utf8' })
    const place = realpathSync(bare)
    expect(told('--require', old)).toMatchObject({ status: 2, stderr: `plumb: needs Node 24 or later; this is Node 20.1.0.\n  Run "npm install" in ${place} (it brings Node 24 for Linux), or install Node 24.\n` })
    expect(told()).toMatchObject({ status: 2, stderr: `plumb: its dependencies are not installed.\n  Run "npm install" in ${place}.\n` })
  })

  test('keeps what was compiled beside what it was compiled of, or where the person says', () => {
    const place = join(dir, 'kept')
    for (const folder of ['bin', 'src', 'node_modules']) mkdirSync(join(place, folder), { recursive: true })
    copyFileSync(join(root, 'bin/plumb'), join(place, 'bin/plumb'))
    copyFileSync(join(root, 'package.json'), join(place, 'package.json'))
    writeFileSync(join(place, 'src/main.ts'), "import { getCompileCacheDir } from 'node:module'\nconsole.log(getCompileCacheDir() satisfies string | undefined)\n")
    const told = (env: NodeJS.ProcessEnv) => spawnSync(process.execPath, [join(place, 'bin/plumb')], { cwd: dir, env, encoding: 'utf8' }).stdout.trim()
    const kept = told({ PATH: path })
    expect(kept.startsWith(join(realpathSync(place), 'node_modules/.cache/plumb/'))).toBe(true)
    expect(readdirSync(kept).length).toBeGreaterThan(0)
    expect(told({ PATH: path, NODE_COMPILE_CACHE: join(dir, 'mine') })).toContain(join(dir, 'mine'))
  })

  test('a reader that has seen enough is no failure', async () => {
    const piped = spawn('/bin/sh', ['-c', `/usr/bin/env node '${join(root, 'bin/plumb')}' --help | true`], { cwd: dir, env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'] })
    let told = ''
    piped.stderr.setEncoding('utf8').on('data', (chunk: string) => (told += chunk))
    expect(await new Promise((resolve) => piped.once('close', resolve))).toBe(0)
    expect(told).toBe('')
  })
})
