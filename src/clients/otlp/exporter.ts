import type { Clock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'

/** Times are milliseconds since 1970; ids are hexadecimal, of 16 and 8 bytes. */
export type Span = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly from: number
  readonly to: number
  readonly attributes: JsonObject
  readonly failure?: string
}

export type OtlpEndpoint = { readonly url: string; readonly headers: Readonly<Record<string, string>> }

const most = 4_096
const atOnce = 512
const everyMs = 1_000
const timeoutMs = 10_000
/** A process that stops waits no longer for a collector. */
const stopMs = 3_000

/**
 * Sends spans to an OpenTelemetry collector, as OTLP/HTTP in JSON, some at a time. Nobody waits for it: what is not taken, or is more than is kept, is lost, and
 * the log says so once. https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class OtlpExporter {
  readonly #endpoint: OtlpEndpoint
  readonly #clock: Clock
  readonly #log: (line: string) => void
  readonly #stopping = new AbortController()
  readonly #givingUp = new AbortController()
  #waiting: Span[] = []
  #sending: Promise<void> | undefined
  #isTold = false

  constructor(options: { readonly endpoint: OtlpEndpoint; readonly clock: Clock; readonly log: (line: string) => void }) {
    this.#endpoint = options.endpoint
    this.#clock = options.clock
    this.#log = options.log
  }

  add(span: Span): void {
    if (this.#waiting.length >= most) return this.#tell(`more than ${most} wait`)
    this.#waiting.push(span)
    this.#sending ??= this.#sendSoon()
  }

  /** Sends what is left; what a collector does not take within 3 s in all is lost. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const sent = new AbortController()
    const late = this.#clock.sleep(stopMs, sent.signal).then(
      () => this.#givingUp.abort(new Error(`it did not take ${this.#waiting.length} spans or more within ${stopMs / 1_000} s`)),
      () => {},
    )
    await this.#sending
    sent.abort()
    await late
  }

  async #sendSoon(): Promise<void> {
    await this.#clock.sleep(everyMs, this.#stopping.signal).catch(() => {})
    while (this.#waiting.length > 0 && !this.#givingUp.signal.aborted) await this.#send(this.#waiting.splice(0, atOnce))
    this.#sending = undefined
  }

  async #send(spans: readonly Span[]): Promise<void> {
    const { url, headers } = this.#endpoint
    try {
      // undici follows no redirect of itself. Loaded when there is something to send: it is large.
      const { request } = await import('undici')
      const answer = await request(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'plumbline' }, body: JSON.stringify(otlpOf(spans)), signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#givingUp.signal]) })
      await answer.body.dump()
      if (answer.statusCode >= 200 && answer.statusCode < 300) this.#isTold = false
      else this.#tell(`it answered ${answer.statusCode}`)
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error))
    }
  }

  #tell(why: string): void {
    if (!this.#isTold) this.#log(`traces are lost: ${new URL(this.#endpoint.url).host}: ${why}`)
    this.#isTold = true
  }
}

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto, in its JSON mapping: ids in hexadecimal, 64-bit numbers as text. */
export function otlpOf(spans: readonly Span[]): object {
  const attributes = (of: JsonObject): object[] => Object.entries(of).map(([key, value]) => ({ key, value: { stringValue: typeof value === 'string' ? value : JSON.stringify(value) } }))
  const named = (of: JsonObject): JsonObject => Object.fromEntries(Object.entries(of).map(([key, value]) => [`plumbline.${key}`, value]))
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': 'plumbline' }) },
        scopeSpans: [
          {
            scope: { name: 'plumbline' },
            spans: spans.map(({ traceId, spanId, parentSpanId, name, from, to, attributes: own, failure }) => ({
              traceId, spanId, ...(parentSpanId === undefined ? {} : { parentSpanId }), name,
              kind: 1, // internal
              startTimeUnixNano: nanos(from), endTimeUnixNano: nanos(to), attributes: attributes(named(own)),
              status: failure === undefined ? {} : { code: 2, message: failure },
            })),
          },
        ],
      },
    ],
  }
}

function nanos(ms: number): string {
  return `${Math.floor(ms)}000000`
}
