import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { eventually } from '../../test/eventually.ts'
import { runProcess } from './process.ts'
import type { Command } from './process.ts'

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

describe('running a program', () => {
  test('a non-zero exit is an answer', async () => {
    const exit = await runProcess(node('process.stdout.write("out"); process.stderr.write("err"); process.exit(3)'))
    expect({ ...exit, stdout: exit.stdout.toString() }).toEqual({ code: 3, stdout: 'out', stderr: 'err' })
  })

  test('it gets its input, and nothing of our environment', async () => {
    process.env['PLUMBLINE_CANARY'] = 'here'
    const exit = await runProcess(node('process.stdin.on("data", (text) => console.log(String(text), process.env.PLUMBLINE_CANARY, process.env.GIVEN))', { stdin: 'hello', env: { GIVEN: 'yes' } }))
    delete process.env['PLUMBLINE_CANARY']
    expect(exit.stdout.toString()).toBe('hello undefined yes\n')
  })

  test('one that does not read its input is no failure', async () => {
    expect((await runProcess(node('process.exit(0)', { stdin: 'x'.repeat(5_000_000) }))).code).toBe(0)
  })

  test('one that is not there is named, with what to do', async () => {
    await expect(runProcess({ ...node(''), command: 'no-such-program' })).rejects.toMatchObject({ code: 'process-missing', subject: 'no-such-program', hint: expect.stringContaining('PATH') })
  })

  test('one that takes too long is ended, with all that it started', async () => {
    const file = join(dir, 'child')
    const script = `const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }); require("fs").writeFileSync(${JSON.stringify(file)}, String(child.pid)); setInterval(() => {}, 1000)`
    await expect(runProcess(node(script, { timeoutMs: 700 }))).rejects.toMatchObject({ code: 'process-timeout', retry: 'later' })
    await eventually(() => !isAlive(Number(readFileSync(file, 'utf8'))))
  })

  test('one that writes too much is ended', async () => {
    await expect(runProcess(node('for (;;) process.stdout.write("x".repeat(1000))'))).rejects.toMatchObject({ code: 'process-output-too-large' })
  })

  test('one whose caller gives up is ended; a caller that gave up before starts nothing', async () => {
    await expect(runProcess(node('setInterval(() => {}, 1000)', { signal: AbortSignal.timeout(200) }))).rejects.toMatchObject({ code: 'process-killed' })
    await expect(runProcess(node('', { signal: AbortSignal.abort(new Error('enough')) }))).rejects.toThrow('enough')
  })

  test('one that a signal ends is told from one that ended', async () => {
    await expect(runProcess(node('process.kill(process.pid, "SIGTERM")'))).rejects.toMatchObject({ code: 'process-killed' })
  })
})
