import { appendFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import type { AuditSink } from './audit-sink.ts'

export type AuditFileOptions = {
  /** The present file, as `audit.log`; older ones are beside it, as `audit-2026-11-27T22-05-01.342.log`. */
  readonly path: string
  /** Past this size a new file is begun; 10 MB where it is not given. */
  readonly largestBytes?: number
  /** How many older files are kept; 3 where it is not given. */
  readonly kept?: number
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** A line of JSON an event, in files of a bounded size, named as the real server's (`--audit-log-path`, `-maxsize`, `-maxbackup`). */
export class AuditFile implements AuditSink {
  readonly #options: AuditFileOptions
  #waiting: string[] = []
  #writing: Promise<void> | undefined
  #size: number | undefined
  #told = false

  constructor(options: AuditFileOptions) {
    this.#options = options
  }

  write(event: JsonObject): void {
    this.#waiting.push(`${JSON.stringify(event)}\n`)
    this.#writing ??= this.#drain()
  }

  async stop(): Promise<void> {
    await this.#writing
  }

  async #drain(): Promise<void> {
    await Promise.resolve() // what is written in the same turn goes in one append
    while (this.#waiting.length > 0) {
      const text = this.#waiting.splice(0).join('')
      try {
        await this.#append(text)
      } catch (error) {
        // Told once: a full disk would fill the log too.
        if (!this.#told) this.#options.log(`the audit log cannot be written: ${error instanceof Error ? error.message : String(error)}`)
        this.#told = true
        this.#size = undefined // the file may have been taken away: looked at anew
      }
    }
    this.#writing = undefined
  }

  async #append(text: string): Promise<void> {
    const { path, largestBytes = 10_000_000 } = this.#options
    const bytes = Buffer.byteLength(text)
    this.#size ??= await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
    if (this.#size > 0 && this.#size + bytes > largestBytes) await this.#rotate()
    await appendFile(path, text, { mode: 0o600 })
    this.#size = (this.#size ?? 0) + bytes
  }

  async #rotate(): Promise<void> {
    const { path, kept = 3, clock } = this.#options
    const [dir, end] = [dirname(path), extname(path)]
    const start = `${basename(path, end)}-`
    await rename(path, join(dir, `${start}${new Date(clock.now()).toISOString().slice(0, -1).replaceAll(':', '-')}${end}`))
    this.#size = 0
    const older = (await readdir(dir)).filter((name) => name.startsWith(start) && name.endsWith(end)).sort()
    for (const name of older.slice(0, Math.max(0, older.length - kept))) await rm(join(dir, name), { force: true })
  }
}
