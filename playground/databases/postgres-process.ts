import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { PostgresOwner } from './programs.ts'

/**
 * PostgreSQL does not end when whoever started it is gone. A shell of a megabyte stands between: each line on its standard input is the name of a
 * signal for the server (STOP and CONT for its children too, each of which is a group of its own), and when that input closes, because its other end
 * was closed or killed, the server is ended at once (QUIT: its data is recovered at the next start), also where it is stopped. It exits as the server does.
 */
const guard = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
children() { cat /proc/$server/task/$server/children 2>/dev/null || ps -A -o ppid= -o pid= | while read -r parent child; do [ "$parent" = $server ] && echo $child; done; }
{ while read -r signal; do
    kill -s "$signal" $server
    case $signal in STOP|CONT) kill -s "$signal" $(children);; esac
  done
  kill -s QUIT $server; kill -s CONT $server $(children); } <&3 2>/dev/null & watcher=$!
exec 3<&-
wait $server; code=$?
kill $watcher 2>/dev/null; wait $watcher 2>/dev/null
exit $code`

const fastMs = 5_000

export type PostgresProcessOptions = { readonly bin: string; readonly data: string; readonly owner: PostgresOwner; readonly logFile: string; readonly clock: Clock }

/** One running server. */
export class PostgresProcess {
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #clock: Clock
  #running = true

  constructor({ bin, data, owner, logFile, clock }: PostgresProcessOptions) {
    this.#clock = clock
    const output = openSync(logFile, 'a', 0o600)
    this.#child = spawn('/bin/sh', ['-c', guard, 'postgres-guard', join(bin, 'postgres'), '-D', data], {
      ...owner,
      cwd: data,
      env: { LC_ALL: 'C', PATH: `${bin}:/usr/bin:/bin` },
      stdio: ['pipe', output, output],
      detached: true, // Ctrl-C in the terminal is the playground's, which then ends its databases in order
    })
    closeSync(output)
    this.#child.stdin?.on('error', () => {}) // it has gone: `ended` tells
    this.ended = new Promise((resolve) => {
      const over = (): void => {
        this.#running = false
        this.#child.stdin?.destroy()
        resolve()
      }
      this.#child.once('error', over)
      this.#child.once('exit', over)
    })
  }

  get isRunning(): boolean {
    return this.#running
  }

  /** Takes connections, as the system does for it, and answers nothing, until it goes on. */
  hang(): void {
    this.#child.stdin?.write('STOP\n')
  }

  goOn(): void {
    this.#child.stdin?.write('CONT\n')
  }

  /** Disconnects everybody, writes what is to be written, and ends; at once where that takes too long. */
  async stop(): Promise<void> {
    if (!this.#running) return
    const over = new AbortController()
    this.#child.stdin?.write('CONT\nINT\n')
    const late = this.#clock.sleep(fastMs, over.signal).then(
      () => void this.#child.stdin?.end(),
      () => {},
    )
    await this.ended
    over.abort(new Error('it has ended'))
    await late
  }
}
