import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Failure, type FailureJson } from '../failure.ts'
import { endGroup, type Command, type Exit } from './here.ts'

/** To the launcher. */
export type Order = { readonly id: number; readonly run: Omit<Command, 'signal'> } | { readonly id: number; readonly stop: string }

/** From it: the process group that began, and what `runHere` came to. `error` is what is no `Failure`. */
export type Outcome = { readonly id: number } & ({ readonly began: number } | { readonly exit: Exit } | { readonly failure: FailureJson } | { readonly error: string; readonly code: string | undefined })

type Waiting = { readonly command: Command; group?: number; readonly resolve: (exit: Exit) => void; readonly reject: (error: unknown) => void }

/** A small process that starts programs for this one. It lives until it is killed or this process ends, and keeps no process alive while nothing runs. */
export class Launcher {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  constructor() {
    const compiled = import.meta.url.endsWith('.js')
    const script = fileURLToPath(new URL(compiled ? './launcher-child.js' : './launcher-child.ts', import.meta.url))
    // None of our environment, and none of our options: programs are given theirs with each order.
    this.#child = fork(script, { env: {}, execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.on('message', (outcome: Outcome) => this.#settle(outcome))
    this.#child.once('error', () => this.#die())
    this.#child.once('exit', () => this.#die())
    this.#child.unref()
    this.#child.channel?.unref()
  }

  get alive(): boolean {
    return this.#child.connected
  }

  async run(command: Command): Promise<Exit> {
    const { signal, ...run } = command
    const id = this.#nextId
    this.#nextId += 1
    const stop = (): void => void this.#order({ id, stop: String(signal?.reason) })
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await new Promise<Exit>((resolve, reject) => {
        this.#waiting.set(id, { command, resolve, reject })
        this.#child.channel?.ref()
        this.#order({ id, run })
      })
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#child.channel?.unref()
    }
  }

  #order(order: Order): void {
    this.#child.send(order, (error) => {
      if (error !== null) this.#die()
    })
  }

  #settle(outcome: Outcome): void {
    const waiting = this.#waiting.get(outcome.id)
    if (waiting === undefined) return
    if ('began' in outcome) waiting.group = outcome.began
    else if ('exit' in outcome) waiting.resolve({ ...outcome.exit, stdout: Buffer.from(outcome.exit.stdout) })
    else if ('failure' in outcome) waiting.reject(new Failure(outcome.failure))
    else waiting.reject(Object.assign(new Error(outcome.error), { code: outcome.code }))
  }

  /** What it had started is ended here, since it can end nothing any more. What was done by then nobody knows. */
  #die(): void {
    for (const { command, group, reject } of this.#waiting.values()) {
      endGroup(group)
      reject(new Failure({ code: 'process-killed', subject: command.command, message: `${command.command} was ended, with the process that had started it: how far it came is not known`, retry: 'later' }))
    }
    if (this.#child.connected) this.#child.disconnect()
  }
}
