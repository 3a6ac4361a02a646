import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

export type Child = {
  readonly pid: number
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** Waits for a line. */
  readonly says: (line: string) => Promise<void>
  /** kill -9, and waits until it is gone. */
  readonly kill: () => Promise<void>
  /** Waits for its end. */
  readonly ended: Promise<number | null>
}

/** A script of `test/` in a process of its own, by this Node, or by `wrapper` around it. */
export function startChild(script: string, args: readonly string[], wrapper: readonly string[] = []): Child {
  // Compiling an embedded store's hot code a second time, for speed, costs more than a short life gets back.
  const [command = '', ...rest] = [...wrapper, process.execPath, '--liftoff-only', fileURLToPath(new URL(script, import.meta.url)), ...args]
  const child: ChildProcess = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'compiled') } })
  const lines: string[] = []
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
  return {
    pid: child.pid ?? 0,
    lines,
    says: async (line) => void (await eventually(() => lines.includes(line), 20_000)),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    ended,
  }
}
