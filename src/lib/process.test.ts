import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { runHere } from './process/here.ts'
import { Launcher } from './process/launcher.ts'
import { runProcess, type Command, type Exit } from './process.ts'

const dir = mkdtempSync(join(tmpdir(), 'plumbline-process-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const node = (script: string, more: Partial<Command> = {}): Command => ({
  command: process.execPath,
  args: ['-e', script],
  env: {},
  timeoutMs: 10_000,
  maxOutputBytes: 10_000,
  ...more,
})

/** What was ended but not yet reaped by its new parent is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const launcher = new Launcher()
const ways: Record<string, (command: Command) => Promise<Exit>> = {
  'by whoever is right for it': runProcess,
  'by this process': runHere,
  'by a small one': (command) => launcher.run(command),
}

describe.each(Object.entries(ways))('running a program %s', (_, run) => {
  test('a non-zero exit is an answer', async () => {
    const exit = await run(node('process.stdout.write("out"); process.stderr.write("err"); process.exit(3)'))
    expect({ ...exit, stdout: exit.stdout.toString() }).toEqual({ code: 3, stdout: 'out', stderr: 'err' })
  })

  test('it gets its input, and nothing of our environment', async () => {
    process.env['PLUMBLINE_CANARY'] = 'here'
    const exit = await run(node('process.stdin.on("data", (text) => console.log(String(text), process.env.PLUMBLINE_CANARY, process.env.GIVEN))', { stdin: 'hello', env: { GIVEN: 'yes' } }))
    delete process.env['PLUMBLINE_CANARY']
    expect(exit.stdout.toString()).toBe('hello undefined yes\n')
  })

  test('one that does not read its input is no failure', async () => {
    expect((await run(node('process.exit(0)', { stdin: 'x'.repeat(5_000_000) }))).code).toBe(0)
  })

  test('one that is not there is named, with what to do', async () => {
    await expect(run({ ...node(''), command: 'no-such-program' })).rejects.toMatchObject({ code: 'process-missing', subject: 'no-such-program', hint: expect.stringContaining('PATH') })
  })

  test('one that takes too long is ended, with all that it started', async () => {
    const file = join(dir, 'child')
    const script = `const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }); require("fs").writeFileSync(${JSON.stringify(file)}, String(child.pid)); setInterval(() => {}, 1000)`
    await expect(run(node(script, { timeoutMs: 700 }))).rejects.toMatchObject({ code: 'process-timeout', retry: 'later' })
    await eventually(() => !isAlive(Number(readFileSync(file, 'utf8'))))
  })

  test('one that writes too much is ended', async () => {
    await expect(run(node('for (;;) process.stdout.write("x".repeat(1000))'))).rejects.toMatchObject({ code: 'process-output-too-large' })
  })

  test('one whose caller gives up is ended; a caller that gave up before starts nothing', async () => {
    await expect(run(node('setInterval(() => {}, 1000)', { signal: AbortSignal.timeout(200) }))).rejects.toMatchObject({ code: 'process-killed' })
    await expect(runProcess(node('', { signal: AbortSignal.abort(new Error('enough')) }))).rejects.toThrow('enough')
  })

  test('one that a signal ends is told from one that ended', async () => {
    await expect(run(node('process.kill(process.pid, "SIGTERM")'))).rejects.toMatchObject({ code: 'process-killed' })
  })
})

describe('the small process that starts programs', () => {
  const pidOf = async (run: (command: Command) => Promise<Exit>): Promise<number> => Number((await run(node('console.log(process.ppid)'))).stdout)

  test('it is one for many programs, and has nothing of our environment', async () => {
    process.env['PLUMBLINE_CANARY'] = 'here'
    const own = new Launcher()
    delete process.env['PLUMBLINE_CANARY']
    const pids = await Promise.all([1, 2, 3].map(() => pidOf((command) => own.run(command))))
    expect(new Set(pids).size).toBe(1)
    expect(pids[0]).not.toBe(process.pid)
    if (process.platform === 'linux') expect(readFileSync(`/proc/${pids[0]}/environ`, 'utf8')).not.toContain('PLUMBLINE_CANARY')
    process.kill(pids[0] ?? 0, 'SIGKILL')
  })

  test('where it is killed, what it had started is ended and told so, and it starts nothing more', async () => {
    const own = new Launcher()
    const pid = await pidOf((command) => own.run(command))
    const file = join(dir, 'under-way')
    const under = own.run(node(`require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`, { timeoutMs: 60_000 }))
    const started = await eventually(() => existsSync(file) && Number(readFileSync(file, 'utf8')))
    process.kill(pid, 'SIGKILL')
    await expect(under).rejects.toMatchObject({ code: 'process-killed', retry: 'later' })
    await eventually(() => !isAlive(Number(started)))
    expect(own.alive).toBe(false)
    await expect(own.run(node(''))).rejects.toMatchObject({ code: 'process-killed' })
  })

  test('signals to a terminal are not for it', async () => {
    const own = new Launcher()
    const pid = await pidOf((command) => own.run(command))
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal)
    expect(await pidOf((command) => own.run(command))).toBe(pid)
    process.kill(pid, 'SIGKILL')
  })

  test('it goes when its owner does, with what it had started', async () => {
    const file = join(dir, 'pids')
    const program = `require("fs").writeFileSync(${JSON.stringify(file)}, process.ppid + " " + process.pid); setInterval(() => {}, 1000)`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', `import { Launcher } from ${JSON.stringify(new URL('process/launcher.ts', import.meta.url).href)}
      await new Launcher().run({ command: process.execPath, args: ['-e', ${JSON.stringify(program)}], env: {}, timeoutMs: 60000, maxOutputBytes: 1000 })`], { stdio: 'ignore' })
    const pids = (): number[] => (existsSync(file) ? readFileSync(file, 'utf8').split(' ').map(Number) : [])
    await eventually(() => pids().length === 2)
    const [small = 0, started = 0] = pids()
    owner.kill('SIGKILL')
    await eventually(() => !isAlive(small) && !isAlive(started))
  })

  test('it keeps no process alive', async () => {
    const script = `import { Launcher } from ${JSON.stringify(new URL('process/launcher.ts', import.meta.url).href)}
      console.log((await new Launcher().run({ command: process.execPath, args: ['-e', ''], env: {}, timeoutMs: 10000, maxOutputBytes: 1000 })).code)`
    const exit = await runHere({ ...node(''), args: ['--input-type=module', '-e', script] })
    expect(exit.stdout.toString()).toBe('0\n')
  })
})
