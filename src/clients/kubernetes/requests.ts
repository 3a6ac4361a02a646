import type { Clock } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { AdaptiveLimit, Experience } from './adaptive-limit.ts'
import type { Link } from './link.ts'
import { statusFailure, type About } from './status-failure.ts'
import { LostConnection, type Answer, type Outgoing } from './transport.ts'

export type Ask = Omit<Outgoing, 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>
  readonly about: About
  /** Of one attempt, in milliseconds, until the whole body is there (for a stream: until it begins). */
  readonly timeoutMs: number
  /** A read, which may be sent again whatever happened to it. */
  readonly safe: boolean
  readonly maxBytes: number
}

export type Document = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly json: unknown }

/** An answer slower than this tells that the server has enough to do. Lists and watches are not measured. */
const slowMs = 1_000
const attempts = 4
const longestWaitMs = 3_600_000

/** Sends requests within the limit of what is in flight, waits out 429s, sends reads again, and makes failures of errors. */
export class Requests {
  readonly #link: Link
  readonly #limit: AdaptiveLimit
  readonly #clock: Clock

  constructor(link: Link, limit: AdaptiveLimit, clock: Clock) {
    this.#link = link
    this.#limit = limit
    this.#clock = clock
  }

  /** The whole answer, as JSON. Statuses of 400 or more are failures. */
  json(ask: Ask, signal: AbortSignal): Promise<Document> {
    return this.#persist(ask, signal, async (answer, limited) => {
      const text = await readText(answer, ask)
      limited.throwIfAborted()
      return { status: answer.status, headers: answer.headers, json: parse(text, answer.status, ask) }
    })
  }

  /** The whole answer, as text. */
  text(ask: Ask, signal: AbortSignal): Promise<string> {
    return this.#persist(ask, signal, async (answer, limited) => {
      const text = await readText(answer, ask)
      limited.throwIfAborted()
      return text
    })
  }

  /** An answer whose body goes on: the place in flight is given back when it begins. */
  stream(ask: Ask, signal: AbortSignal): Promise<Answer> {
    return this.#persist(ask, signal, async (answer) => {
      if (answer.status < 400) return answer
      throw statusFailure(answer.status, parse(await readText(answer, ask), answer.status, ask), ask.about)
    })
  }

  async #persist<T>(ask: Ask, signal: AbortSignal, use: (answer: Answer, limited: AbortSignal) => Promise<T>): Promise<T> {
    let failed = 0
    let signedInAgain = false
    for (;;) {
      const waitMs = { value: 0 }
      try {
        return await this.#attempt(ask, signal, waitMs, use)
      } catch (error) {
        signal.throwIfAborted()
        const failure = asKubernetesFailure(error, ask, this.#link.server)
        const pushedBack = failure.fields['status'] === 429
        if (pushedBack) {
          await this.#clock.sleep(waitMs.value || 1_000, signal)
          continue
        }
        if (failure.code === 'kubernetes-unauthorized' && !signedInAgain) {
          // A credential that ran out, or a token that was rotated: read the kubeconfig again, once.
          signedInAgain = true
          this.#link.signOut()
          continue
        }
        failed += 1
        const untouched = error instanceof LostConnection && error.processed === 'no'
        const transient = failure.code === 'kubernetes-unreachable' || failure.code === 'kubernetes-failing'
        if (!transient || !(ask.safe || untouched) || failed >= attempts) throw failure
        await this.#clock.sleep(waitMs.value || 100 * 2 ** failed, signal)
      }
    }
  }

  async #attempt<T>(ask: Ask, signal: AbortSignal, waitMs: { value: number }, use: (answer: Answer, limited: AbortSignal) => Promise<T>): Promise<T> {
    const leave = await this.#limit.enter(signal)
    let experience: Experience = 'fine'
    const over = new AbortController()
    const done = new AbortController()
    // The stream itself outlives this call, so that only `signal` may end it; the time limit is another signal, let go of below.
    const limited = AbortSignal.any([signal, over.signal])
    void this.#clock.sleep(ask.timeoutMs, AbortSignal.any([signal, done.signal])).then(
      () => over.abort(new LostConnection('perhaps', new Error(`no answer within ${ask.timeoutMs / 1000} s`))),
      () => {},
    )
    const began = this.#clock.now()
    try {
      const answer = await this.#link.send(ask, limited)
      waitMs.value = retryAfter(answer.headers['retry-after'], this.#clock)
      if (answer.status === 429) experience = 'pushed-back'
      else if (ask.maxBytes <= smallBody && this.#clock.now() - began > slowMs) experience = 'slow'
      if (answer.status >= 400) {
        throw statusFailure(answer.status, parse(await readText(answer, ask), answer.status, ask), ask.about)
      }
      return await use(answer, limited)
    } catch (error) {
      if (error instanceof LostConnection && experience === 'fine') experience = 'slow'
      throw error
    } finally {
      done.abort()
      leave(experience)
    }
  }
}

/** Bodies of single objects: an object is 1.5 MiB at most, and its field sets stand beside it. */
export const smallBody = 16 * 1024 * 1024
/** Bodies of pages and of discovery. */
export const largeBody = 128 * 1024 * 1024

async function readText(answer: Answer, ask: Ask): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.length
    if (size > ask.maxBytes) throw tooLarge(ask.about.subject, ask.maxBytes)
    chunks.push(chunk)
  }
  const announced = answer.headers['content-length']
  if (announced !== undefined && Number(announced) !== size) throw new LostConnection('perhaps', new Error('the answer was cut short'))
  return Buffer.concat(chunks).toString('utf8')
}

export function tooLarge(subject: string, maxBytes: number): Failure {
  return new Failure({
    code: 'kubernetes-answer-too-large',
    subject,
    message: `the server's answer is larger than ${maxBytes < 1024 * 1024 ? `${Math.floor(maxBytes / 1024)} KiB` : `${Math.floor(maxBytes / 1024 / 1024)} MiB`}, and was not read on`,
    retry: 'never',
  })
}

function parse(text: string, status: number, ask: Ask): unknown {
  try {
    return JSON.parse(text)
  } catch {
    if (status >= 400) return undefined // a proxy's own page
    throw new Failure({
      code: 'kubernetes-failing',
      subject: ask.about.subject,
      message: 'the server answered with what is not JSON',
      hint: 'Is this address really that of a Kubernetes API server, and not of a proxy that wants a sign-in?',
      retry: 'later',
    })
  }
}

function asKubernetesFailure(error: unknown, ask: Ask, server: string): Failure {
  if (error instanceof Failure) return error
  if (!(error instanceof LostConnection)) throw error
  return new Failure({
    code: 'kubernetes-unreachable',
    subject: ask.about.subject,
    message: `${server} cannot be reached: ${error.message}`,
    hint: 'Check the address and the certificate authority in the kubeconfig, and the network between here and the cluster.',
    retry: 'later',
    fields: { processed: error.processed },
    cause: error,
  })
}

/** `Retry-After` in milliseconds: seconds or a date (RFC 9110, 10.2.3). 0 where there is none, or it makes no sense. */
function retryAfter(value: string | undefined, clock: Clock): number {
  if (value === undefined) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestWaitMs) : 0
}
