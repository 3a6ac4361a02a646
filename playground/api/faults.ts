import { type Answer, json } from './request.ts'
import { ApiError } from './status.ts'

/** For tests: what the next `times` requests that match are answered instead. `path` matches when it is contained in path and query. */
export type Fault = {
  readonly times: number
  readonly method?: string
  readonly path?: string | RegExp
  /**
   * `429` bears `retryAfterSeconds`; `500` a Status; `hang` answers never; `drop` resets the connection (the stream, with HTTP/2);
   * `watch-close` ends a watch at once; `watch-expired` ends it with a 410.
   */
  readonly answer: '429' | '500' | 'hang' | 'drop' | 'watch-close' | 'watch-expired'
  readonly retryAfterSeconds?: number
}

export type Planned = Answer | 'hang' | 'drop'

export class Faults {
  #faults: { fault: Fault; left: number }[] = []

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times })
  }

  /** What a fault answers to this request, if one matches. */
  take(method: string, url: string): Planned | undefined {
    const isWatch = /[?&]watch=(?:1|true)/.test(url)
    const found = this.#faults.find(({ fault }) => {
      if (fault.method !== undefined && fault.method !== method) return false
      if (fault.answer.startsWith('watch-') && !isWatch) return false
      if (fault.path === undefined) return true
      return typeof fault.path === 'string' ? url.includes(fault.path) : fault.path.test(url)
    })
    if (found === undefined) return undefined
    found.left -= 1
    this.#faults = this.#faults.filter(({ left }) => left > 0)
    return plan(found.fault)
  }
}

function plan(fault: Fault): Planned {
  switch (fault.answer) {
    case 'hang':
    case 'drop':
      return fault.answer
    case '429': {
      const seconds = fault.retryAfterSeconds ?? 1
      const error = new ApiError(429, 'TooManyRequests', 'Too many requests, please try again later.', { details: { retryAfterSeconds: seconds } })
      return json(429, error.status, { 'retry-after': String(seconds) })
    }
    case '500':
      return json(500, new ApiError(500, 'InternalError', 'Internal error occurred: injected by a test').status)
    case 'watch-close':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: '' }
    default:
      return json(200, { type: 'ERROR', object: new ApiError(410, 'Expired', 'too old resource version: injected by a test').status })
  }
}
