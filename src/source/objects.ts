import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { GitSetup } from './git.ts'
import { complaint, gitCommand } from './git.ts'

export type GitObject = { readonly id: string; readonly type: 'blob' | 'tree' | 'commit' | 'tag'; readonly bytes: Buffer }
/** What `read` found: the object, that it is larger than the limit, or that it is not there. */
export type ObjectAnswer = GitObject | { readonly id: string; readonly tooLarge: number } | undefined

type Waiting = { readonly maxBytes: number; readonly resolve: (answer: ObjectAnswer) => void; readonly reject: (reason: unknown) => void }
type Receiving = { readonly id: string; readonly type: GitObject['type']; readonly size: number; left: number; readonly chunks: Buffer[] | undefined }

/** The longest that git may take to send the next piece of an object. */
const stallMs = 30_000
const idleMs = 30_000

/**
 * Objects of one repository by name, through one `git cat-file --batch` that is kept warm while it is used. Answers come in the order of the
 * questions, so any number may be asked at once. When the process ends, those who wait get a Failure (`mirror-corrupt`,
 * `mirror-closed`, `process-missing`), and the next call starts another.
 */
export class ObjectStore {
  readonly #setup: GitSetup
  readonly #gitDir: string
  readonly #subject: string
  readonly #clock: Clock
  #child: ChildProcessWithoutNullStreams | undefined
  #waiting: Waiting[] = []
  #pending: Buffer[] = []
  #receiving: Receiving | undefined
  #stderr = ''
  #stall: NodeJS.Timeout | undefined
  #idle: AbortController | undefined

  constructor(setup: GitSetup, gitDir: string, subject: string, clock: Clock) {
    this.#setup = setup
    this.#gitDir = gitDir
    this.#subject = subject
    this.#clock = clock
  }

  /** `name` is an object id or a ref, with or without `^{tree}`; the caller has checked that it is one. */
  read(name: string, maxBytes: number): Promise<ObjectAnswer> {
    this.#idle?.abort()
    const child = (this.#child ??= this.#start())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ maxBytes, resolve, reject })
      if (this.#waiting.length === 1) this.#watch()
      child.stdin.write(`${name}\n`)
    })
  }

  /** Ends the process; whoever waits is refused. A later `read` starts it again. */
  close(): void {
    this.#idle?.abort()
    const child = this.#child
    if (child !== undefined) this.#ended(child, new Failure({ code: 'mirror-closed', subject: this.#subject, message: `the mirror of ${this.#subject} was closed`, retry: 'now' }))
    child?.kill('SIGKILL')
  }

  #start(): ChildProcessWithoutNullStreams {
    const call = { subject: this.#subject, gitDir: this.#gitDir, args: ['cat-file', '--batch'] }
    const child = spawn('git', gitCommand(this.#setup, call).args, { env: gitCommand(this.#setup, call).env, stdio: 'pipe' })
    child.stdin.on('error', () => {}) // the end of the process tells the story
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#child === child) this.#take(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr = `${this.#stderr}${chunk.toString('utf8')}`.slice(-2_000)))
    child.once('error', (error) => this.#ended(child, new Failure({ code: 'process-missing', subject: 'git', message: `git could not be started: ${error.message}` })))
    child.once('close', () => this.#ended(child, this.#corrupt(complaint(this.#stderr))))
    return child
  }

  #corrupt(said: string): Failure {
    return new Failure({ code: 'mirror-corrupt', subject: this.#subject, message: `git could not read the mirror of ${this.#subject}: ${said}`, retry: 'later' })
  }

  #ended(child: ChildProcessWithoutNullStreams, why: Failure): void {
    if (this.#child !== child) return
    clearTimeout(this.#stall)
    const waiting = this.#waiting
    this.#child = undefined
    this.#waiting = []
    this.#pending = []
    this.#receiving = undefined
    this.#stderr = ''
    for (const one of waiting) one.reject(why)
  }

  #watch(): void {
    clearTimeout(this.#stall)
    const child = this.#child
    this.#stall = setTimeout(() => child?.kill('SIGKILL'), stallMs)
  }

  #take(chunk: Buffer): void {
    this.#watch()
    let rest: Buffer = chunk
    while (rest.length > 0) rest = this.#receiving === undefined ? this.#header(rest) : this.#body(this.#receiving, rest)
    if (this.#waiting.length === 0) this.#rest()
  }

  #header(chunk: Buffer): Buffer {
    const end = chunk.indexOf(10)
    if (end === -1) {
      this.#pending.push(chunk)
      return Buffer.alloc(0)
    }
    const line = Buffer.concat([...this.#pending, chunk.subarray(0, end)]).toString('utf8')
    this.#pending = []
    const match = /^([0-9a-f]+) (blob|tree|commit|tag) (\d+)$/.exec(line)
    if (match === null) this.#answer(undefined) // `<name> missing`, or `ambiguous`
    else {
      const size = Number(match[3])
      const fits = size <= (this.#waiting[0]?.maxBytes ?? 0)
      // One byte more: a line feed follows every object. What does not fit flows by.
      this.#receiving = { id: match[1] ?? '', type: match[2] as GitObject['type'], size, left: size + 1, chunks: fits ? [] : undefined }
    }
    return chunk.subarray(end + 1)
  }

  #body(object: Receiving, chunk: Buffer): Buffer {
    const part = chunk.subarray(0, object.left)
    object.left -= part.length
    object.chunks?.push(part)
    if (object.left === 0) {
      this.#receiving = undefined
      const { id, type, size, chunks } = object
      this.#answer(chunks === undefined ? { id, tooLarge: size } : { id, type, bytes: Buffer.concat(chunks, size) })
    }
    return chunk.subarray(part.length)
  }

  #answer(answer: ObjectAnswer): void {
    this.#waiting.shift()?.resolve(answer)
  }

  #rest(): void {
    clearTimeout(this.#stall)
    this.#idle?.abort()
    const idle = (this.#idle = new AbortController())
    const closeIfIdle = (): void => {
      if (!idle.signal.aborted) this.close()
    }
    this.#clock.sleep(idleMs, idle.signal).then(closeIfIdle, () => {})
  }
}
