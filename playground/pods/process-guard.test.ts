import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'

/** A program that ends when its standard input closes, as the playground's do. */
const program = "process.stdin.resume().on('end', () => process.exit()); console.log('up')"
const parent = `
  import { spawn } from 'node:child_process'
  import { ProcessGuard } from ${JSON.stringify(new URL('process-guard.ts', import.meta.url).href)}
  const child = spawn(process.execPath, ['-e', ${JSON.stringify(program)}], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  child.stdout.once('data', () => {
    new ProcessGuard().watch(child.pid)
    process.kill(child.pid, 'SIGSTOP')
    setTimeout(() => console.log(child.pid), 100)
  })
`

test('a program that was stopped ends all the same when its playground is killed', async () => {
  const playground = spawn(process.execPath, ['--input-type=module', '-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(await new Promise<string>((resolve) => playground.stdout.setEncoding('utf8').once('data', resolve)))
  const isThere = (): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  expect(isThere()).toBe(true)
  playground.kill('SIGKILL')
  await expect.poll(isThere, { timeout: 5_000 }).toBe(false)
})
