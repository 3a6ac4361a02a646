import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { eventually } from '../test/eventually.ts'

test('what bin/plumb started is stopped when bin/plumb is killed', async () => {
  const child = `
    import { stopRequested, stopped } from ${JSON.stringify(import.meta.resolve('./stop-signal.ts'))}
    const busy = setInterval(() => {}, 1000)
    const stop = stopRequested(Date.now)
    console.log(process.pid)
    await stopped(stop)
    clearInterval(busy)`
  const parent = `
    import { spawn } from 'node:child_process'
    spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })`
  const started = spawn(process.execPath, ['--input-type=module', '-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(started.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  expect(isAlive(pid)).toBe(true)
  started.kill('SIGKILL')
  await eventually(() => !isAlive(pid))
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
