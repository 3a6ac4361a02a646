import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Failure } from '#lib/failure.ts'
import { storeFailure, type SqlError } from '../store-failure.ts'
import type { Answer, Ask } from './messages.ts'

type Rows = Record<string, unknown>[]
type Waiting = { readonly text: string; readonly resolve: (rows: Rows) => void; readonly reject: (error: unknown) => void }
type Question = Ask extends infer One ? (One extends Ask ? Omit<One, 'id'> : never) : never

/** TypeScript knows it among a browser's types alone. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> }

let code: Promise<object> | undefined

/** The engine's code, compiled once for every thread of this process: a store that is opened again has half of the work behind it. Failure `store-unavailable`; the next call tries again. */
export async function engineCode(): Promise<object> {
  code ??= readFile(createRequire(import.meta.url).resolve('@electric-sql/pglite/pglite.wasm')).then((bytes) => WebAssembly.compile(bytes))
  try {
    return await code
  } catch (error) {
    code = undefined
    throw storeFailure(error as SqlError)
  }
}

/** The engine in its thread, seen from the main one. Once it is dead it stays dead: every question is answered with the failure that killed it. */
export class PgliteThread {
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #died: () => void
  #nextId = 1
  #death: Failure | undefined
  #gone: Promise<unknown> | undefined

  constructor(folder: string, compiledEngine: object, notified: (channel: string, payload: string) => void, died: () => void) {
    this.#died = died
    const compiled = import.meta.url.endsWith('.js')
    this.#worker = new Worker(new URL(compiled ? './worker.js' : './worker.ts', import.meta.url), { workerData: { folder, code: compiledEngine }, name: 'store', execArgv: [] })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ready = promise
    promise.catch(() => {}) // who opens looks at it; a death that nobody waits for is no unhandled rejection
    this.#worker.on('message', (answer: Answer) => {
      if ('ready' in answer) resolve()
      else if ('notified' in answer) notified(answer.notified, answer.payload)
      else if ('fatal' in answer) reject(this.#die(answer.fatal))
      else this.#settle(answer)
    })
    this.#worker.on('error', (error) => reject(this.#die({ code: '57P02', message: error.message })))
    this.#worker.on('exit', (code) => reject(this.#die({ code: '57P02', message: `its thread ended with ${code}` })))
  }

  get alive(): boolean {
    return this.#death === undefined
  }

  /** When a dead engine can do nothing more to the folder. */
  get gone(): Promise<unknown> {
    return this.#gone ?? Promise.resolve()
  }

  query(text: string, params: readonly (string | null)[]): Promise<Rows> {
    return this.#ask({ do: 'query', text, params }, text)
  }

  script(text: string): Promise<Rows> {
    return this.#ask({ do: 'script', text }, text)
  }

  async close(): Promise<void> {
    if (this.alive) await this.#ask({ do: 'close' }, 'close').catch(() => {})
    this.#death ??= storeFailure({ code: '57P01', message: 'it is closed' })
    this.#gone ??= this.#worker.terminate()
    await this.#gone
  }

  #ask(question: Question, text: string): Promise<Rows> {
    if (this.#death !== undefined) return Promise.reject(this.#death)
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { text, resolve, reject })
      this.#worker.postMessage({ ...question, id }) // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
    })
  }

  #settle(answer: Extract<Answer, { id: number }>): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('rows' in answer) waiting?.resolve(answer.rows)
    else waiting?.reject(storeFailure(answer.error, waiting.text))
  }

  #die(error: SqlError): Failure {
    if (this.#death !== undefined) return this.#death
    const death = storeFailure({ code: '57P02', ...error })
    this.#death = death
    for (const waiting of this.#waiting.values()) waiting.reject(death)
    this.#waiting.clear()
    this.#gone = this.#worker.terminate()
    this.#died()
    return death
  }
}
