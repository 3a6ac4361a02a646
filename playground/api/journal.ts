import { closeSync, existsSync, fdatasync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, statSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '#lib/failure.ts'
import type { KubernetesObject } from '#playground/contract.ts'

/** One change on disk: at version `v`, the object `k` (`namespace/name`) of the resource `r` (`group/plural`) became `o`; null is a delete. */
export type Line = { readonly v: number; readonly r: string; readonly k: string; readonly o: KubernetesObject | null }

const rotateAfterBytes = 64 * 1024 * 1024

/**
 * An append-only file of changes beside a snapshot. Lines that are added while a sync runs share the next one (group commit).
 * A snapshot replaces the old one by rename before the journal is emptied; lines that it already holds are skipped by their version,
 * so a crash between the two loses and repeats nothing. A torn last line was never answered, and is dropped.
 */
export class Journal {
  readonly #dir: string
  #file: number
  #bytes: number
  #waiting: string[] = []
  #flushing: Promise<void> | undefined
  #appended = 0
  #synced = 0
  #waiters: { at: number; resolve: () => void; reject: (error: Error) => void }[] = []
  #failed: Error | undefined
  #content: () => { version: number; lines: Iterable<Line> } = () => ({ version: 0, lines: [] })

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    this.#dir = dir
    this.#file = openSync(join(dir, 'journal.ndjson'), 'a', 0o600)
    this.#bytes = statSync(join(dir, 'journal.ndjson')).size
  }

  /** Every line since the beginning, oldest first: the snapshot, then what came after it. `version` is the snapshot's. Failure: `playground-journal`. */
  read(): { version: number; lines: Line[] } {
    const snapshot = join(this.#dir, 'snapshot.ndjson')
    const lines: Line[] = []
    let version = 0
    if (existsSync(snapshot)) {
      const [head = '', ...rest] = readFileSync(snapshot, 'utf8').split('\n')
      version = (parse(head) as { version?: number } | undefined)?.version ?? damaged(snapshot, 1)
      for (const [index, text] of rest.entries()) if (text !== '') lines.push(parse(text) ?? damaged(snapshot, index + 2))
    }
    const journal = join(this.#dir, 'journal.ndjson')
    const texts = readFileSync(journal, 'utf8').split('\n')
    for (const [index, text] of texts.entries()) {
      if (text === '') continue
      const line = parse(text)
      if (line === undefined) {
        if (texts.slice(index + 1).every((later) => later === '')) break
        damaged(journal, index + 1)
      }
      if (line.v > version) lines.push(line)
    }
    return { version, lines }
  }

  /** Hands over what a snapshot is made of, and makes one where the journal has content. */
  start(content: () => { version: number; lines: Iterable<Line> }): void {
    this.#content = content
    if (this.#bytes > 0) this.#rotate()
  }

  append(line: Line): void {
    this.#waiting.push(`${JSON.stringify(line)}\n`)
    this.#appended += 1
    this.#flushing ??= this.#flush()
  }

  /** Resolves when everything that was appended so far is on disk. Rejects for ever after a failed write: memory is then ahead of the disk. */
  durable(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#synced === this.#appended) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ at: this.#appended, resolve, reject }))
  }

  async close(): Promise<void> {
    await this.#flushing?.catch(() => {})
    closeSync(this.#file)
  }

  async #flush(): Promise<void> {
    try {
      await Promise.resolve() // whoever appends in this turn comes along
      while (this.#waiting.length > 0 && this.#failed === undefined) {
        const text = Buffer.from(this.#waiting.join(''))
        const upTo = this.#appended
        this.#waiting = []
        await writeAll(this.#file, text)
        await new Promise<void>((resolve, reject) => fdatasync(this.#file, (error) => (error === null ? resolve() : reject(error))))
        this.#bytes += text.length
        this.#synced = upTo
        while (this.#waiters[0] !== undefined && this.#waiters[0].at <= upTo) this.#waiters.shift()?.resolve()
        if (this.#bytes > rotateAfterBytes && this.#waiting.length === 0) this.#rotate()
      }
    } catch (error) {
      this.#failed = error instanceof Error ? error : new Error(String(error))
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failed)
    } finally {
      this.#flushing = undefined
    }
  }

  #rotate(): void {
    const { version, lines } = this.#content()
    const path = join(this.#dir, 'snapshot.ndjson')
    const file = openSync(`${path}.new`, 'w', 0o600)
    try {
      writeSync(file, `${JSON.stringify({ version })}\n`)
      let batch = ''
      for (const line of lines) {
        batch += `${JSON.stringify(line)}\n`
        if (batch.length > 1 << 20) {
          writeSync(file, batch)
          batch = ''
        }
      }
      writeSync(file, batch)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(`${path}.new`, path)
    const dir = openSync(this.#dir, 'r')
    try {
      fsyncSync(dir)
    } finally {
      closeSync(dir)
    }
    ftruncateSync(this.#file)
    fsyncSync(this.#file)
    this.#bytes = 0
  }
}

/** A torn last line was never answered; any other damage is not ours to guess at. */
function damaged(path: string, line: number): never {
  throw new Failure({
    code: 'playground-journal',
    subject: `${path}:${line}`,
    message: 'What the embedded Kubernetes API keeps on disk is damaged: this line cannot be read, and lines follow it',
    hint: 'Restore the file, or delete the folder of the playground to start a new one.',
  })
}

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}

async function writeAll(file: number, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    from += await new Promise<number>((resolve, reject) =>
      write(file, bytes, from, bytes.length - from, null, (error, written) => (error === null ? resolve(written) : reject(error))),
    )
  }
}
