import { request as askHttp } from 'node:http'
import { request as askHttps } from 'node:https'
import type { Clock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import type { AuditSink } from './audit-sink.ts'

export type AuditWebhookOptions = {
  /** `http:` or `https:`, on this machine's loopback. */
  readonly url: string
  /** PEM: who signs the server's certificate. */
  readonly ca?: string
  /** Sent as a bearer token. */
  readonly token?: string
}

const atMost = 400
const retries = 4
const firstRetryMs = 200
const answerMs = 10_000
const mostWaiting = 10_000

/**
 * Posts EventLists, one after another, as the real server does in its mode `batch`: what comes while one is under way goes with the next. What is not taken
 * after a few tries is given up, and so is what is too much; both are told.
 */
export class AuditWebhook implements AuditSink {
  readonly #options: AuditWebhookOptions
  readonly #clock: Clock
  readonly #log: (line: string) => void
  readonly #ending = new AbortController()
  #waiting: JsonObject[] = []
  #sending: Promise<void> | undefined

  constructor(options: AuditWebhookOptions, clock: Clock, log: (line: string) => void) {
    const { protocol, hostname } = new URL(options.url)
    const isHere = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/.test(hostname)
    if (!isHere || !/^https?:$/.test(protocol)) throw new TypeError(`${options.url}: audit events go to loopback addresses alone, by http or https`)
    this.#options = options
    this.#clock = clock
    this.#log = log
  }

  write(event: JsonObject): void {
    if (this.#waiting.length >= mostWaiting) {
      this.#log(`audit webhook ${this.#options.url}: ${this.#waiting.length} events that it did not take in time are given up`)
      this.#waiting = []
    }
    this.#waiting.push(event)
    this.#sending ??= this.#drain()
  }

  /** What is under way may end; nothing is tried again. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('the server stops'))
    await this.#sending
  }

  async #drain(): Promise<void> {
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const items = this.#waiting.splice(0, atMost)
      await this.#deliver(items).catch((error: unknown) => {
        this.#log(`audit webhook ${this.#options.url}: ${items.length} events are given up: ${error instanceof Error ? error.message : String(error)}`)
      })
    }
    this.#sending = undefined
  }

  async #deliver(items: readonly JsonObject[]): Promise<void> {
    const list = JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items })
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#post(list)
      } catch (error) {
        if (attempt === retries || this.#ending.signal.aborted) throw error
        await this.#clock.sleep(firstRetryMs * 2 ** attempt, this.#ending.signal)
      }
    }
  }

  #post(list: string): Promise<void> {
    const { url, ca, token } = this.#options
    const body = Buffer.from(list)
    const ask = url.startsWith('https:') ? askHttps : askHttp
    const headers = { 'content-type': 'application/json', 'content-length': body.length, 'user-agent': 'kube-apiserver-audit', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    return new Promise((resolve, reject) => {
      const sent = ask(url, { method: 'POST', agent: false, headers, timeout: answerMs, ...(ca === undefined ? {} : { ca }) }, (response) => {
        response.resume()
        const status = response.statusCode ?? 0
        response.on('end', () => (status >= 200 && status < 300 ? resolve() : reject(new Error(`it answered ${status}`))))
        response.on('error', reject)
      })
      sent.on('timeout', () => sent.destroy(new Error('it does not answer')))
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
