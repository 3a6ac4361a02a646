import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash, randomBytes } from 'node:crypto'
import type { Span } from '#clients/otlp/exporter.ts'
import type { Clock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import type { JsonObject } from '#lib/json.ts'
import { redactedDocument } from '#model/redacted.ts'
import type { Redact } from '#model/redacted.ts'

type Place = { readonly traceId: string; readonly spanId: string }

/** What a step's result says: more to tell of it, and why it failed where it did not throw. */
export type Told = { readonly attributes?: JsonObject; readonly failure?: string }

/**
 * Spans around the steps of the path. A run is one trace, whichever process carries it on and however often: the trace's id, and that of the span of the whole
 * run, come from the run's id alone. What happens outside a run has no trace.
 */
export class Tracer {
  readonly #clock: Clock
  readonly #redact: Redact
  readonly #send: (span: Span) => void
  readonly #place = new AsyncLocalStorage<Place>()

  constructor(options: { readonly clock: Clock; readonly redact: Redact; readonly send: (span: Span) => void }) {
    this.#clock = options.clock
    this.#redact = options.redact
    this.#send = options.send
  }

  /** One go at a run: until it ends, waits, or is tried again. */
  attempt<T>(run: string, work: () => Promise<T>): Promise<T> {
    return this.#place.run(rootOf(run), () => this.span('attempt', { run }, work))
  }

  /** A step, under the one that it is called in. */
  async span<T>(name: string, attributes: JsonObject, work: () => Promise<T>, tell?: (result: T) => Told): Promise<T> {
    const parent = this.#place.getStore()
    if (parent === undefined) return work()
    const place = { traceId: parent.traceId, spanId: randomBytes(8).toString('hex') }
    const from = this.#clock.now()
    const end = (told: Told): void => this.#end({ ...place, parentSpanId: parent.spanId }, name, from, this.#clock.now(), { ...attributes, ...told.attributes }, told.failure)
    try {
      const result = await this.#place.run(place, work)
      end(tell?.(result) ?? {})
      return result
    } catch (error) {
      const { code, message } = asFailure(error, name)
      end({ failure: `${code}: ${message}` })
      throw error
    }
  }

  /** The whole of a run that ended, over everything that was seen of it. */
  whole(run: string, from: number, to: number, attributes: JsonObject, failure: string | undefined): void {
    this.#end(rootOf(run), 'run', from, to, { run, ...attributes }, failure)
  }

  #end(place: Place & { readonly parentSpanId?: string }, name: string, from: number, to: number, attributes: JsonObject, failure: string | undefined): void {
    this.#send({ ...place, name, from, to, attributes: redactedDocument(attributes, this.#redact), ...(failure === undefined ? {} : { failure: this.#redact(failure) }) })
  }
}

function rootOf(run: string): Place {
  const digest = createHash('sha256').update(`run ${run}`).digest('hex')
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) }
}
