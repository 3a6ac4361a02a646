import { type ChildProcess, spawn } from 'node:child_process'

/** Keeps the last list of processes that it was told, and lets them go on when nobody tells it more. */
const script = 'while read -r now; do pids=$now; done; kill -s CONT $pids'

/**
 * A process that is stopped (SIGSTOP) does not notice that the playground is gone: programs end when their standard input closes, and for that they must
 * run. This shell outlives a `kill -9` of the playground by a moment, and wakes them. A number that another process has got since does no harm: what
 * runs goes on running.
 */
export class ProcessGuard {
  readonly #pids = new Set<number>()
  #shell: ChildProcess | undefined

  /** Returns what ends it. */
  watch(pid: number): () => void {
    this.#shell ??= start()
    this.#pids.add(pid)
    this.#tell()
    return () => {
      this.#pids.delete(pid)
      this.#tell()
    }
  }

  stop(): void {
    this.#shell?.stdin?.end()
    this.#shell = undefined
  }

  #tell(): void {
    this.#shell?.stdin?.write(`${[...this.#pids].join(' ')}\n`)
  }
}

function start(): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', script, 'playground-guard'], { cwd: '/', env: {}, stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.on('error', () => {}) // without a shell nothing is woken
  shell.stdin?.on('error', () => {})
  shell.unref()
  return shell
}
