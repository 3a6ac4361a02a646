// How long `npm start` takes on a fresh folder, to the first verified environment and to all of them: node bench/start.ts [times]
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '#cli/connect.ts'
import { changes } from '#cli/follow.ts'
import { root } from '../test/rooms.ts'
import { eventually } from '../test/eventually.ts'

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

async function once(): Promise<{ first: number; all: number; memory: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const began = performance.now()
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), 'playground', '--dir', dir, '--port', '0'], { stdio: 'ignore' })
  try {
    await eventually(() => read(join(dir, 'server.json')) !== undefined && read(join(dir, 'token')) !== undefined, 60_000)
    const connection = connect({ dir }, { print: () => {}, note: () => {}, colours: false, width: 80, cwd: '/', env: {}, readFile: read, now: () => 0 } as never)
    let first: number | undefined
    for await (const _ of changes(connection, AbortSignal.timeout(120_000))) {
      const { environments } = await connection.client.status()
      const done = environments.filter(({ modules }) => modules.length > 0 && modules.every((one) => one.delivery === 'synced' && one.verification === 'passed'))
      if (done.length > 0) first ??= performance.now() - began
      if (done.length !== 3) continue
      const pages = Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${child.pid}/status`) ?? '')?.[1] ?? 0)
      return { first: first ?? 0, all: performance.now() - began, memory: pages / 1024 }
    }
    throw new Error('it was not delivered within two minutes')
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true, force: true })
  }
}

const times = Number(process.argv[2] ?? 3)
for (let index = 0; index < times; index += 1) {
  const { first, all, memory } = await once()
  console.log(`first verified environment after ${(first / 1000).toFixed(1)} s, all three after ${(all / 1000).toFixed(1)} s; ${memory.toFixed(0)} MB in the process`)
}
