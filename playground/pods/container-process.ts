import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { Clock } from '#lib/clock.ts'

export type Started = {
  readonly program: string
  readonly args: readonly string[]
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly clock: Clock
  readonly output: (chunk: string) => void
}

/** How a process ended, in a container's words: an exit code, 128 + n for a signal. */
export type Ended = { readonly exitCode: number; readonly signal?: number }

/**
 * One container as a process of this machine. Its standard input is a pipe that only this process holds: the programs end when it closes,
 * so nothing outlives the playground, however that ends.
 */
export class ContainerProcess {
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly ended: Promise<Ended>

  constructor({ program, args, env, cwd, clock, output }: Started) {
    this.#clock = clock
    const flags = ['--max-old-space-size=64', '--disable-warning=ExperimentalWarning']
    this.#child = spawn(process.execPath, [...flags, program, ...args], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // a session of its own: Ctrl-C in the terminal reaches the playground, which then ends its pods in order
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setEncoding('utf8').on('data', output)
    this.#child.stdin?.on('error', () => {}) // it has gone: `ended` tells
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        output(`${error.message}\n`)
        resolve({ exitCode: 128 })
      })
      this.#child.once('close', (code, signal) => {
        const number = signal === null ? undefined : constants.signals[signal]
        resolve(number === undefined ? { exitCode: code ?? 1 } : { exitCode: 128 + number, signal: number })
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Asks it to end, and after `graceMs` ends it. */
  async stop(graceMs: number): Promise<Ended> {
    const over = new AbortController()
    this.#child.kill('SIGTERM')
    const kill = this.#clock.sleep(graceMs, over.signal).then(
      () => this.#child.kill('SIGKILL'),
      () => {},
    )
    const ended = await this.ended
    over.abort(new Error('it has ended'))
    await kill
    return ended
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
