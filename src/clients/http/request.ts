import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { fixedLookup } from '#clients/dns/fixed-lookup.ts'
import { socketFailure } from '#clients/socket-failure.ts'
import { Failure } from '#lib/failure.ts'

export type HttpQuestion = {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** http or https. Its credentials, if it has any, are not sent. */
  readonly url: URL
  /** Where to connect to: nothing else is resolved. */
  readonly addresses: readonly string[]
  /** The Host header, and the name in TLS, where they differ from the URL's. */
  readonly host?: string
  readonly headers: Readonly<Record<string, string>>
  /** The fields of a form, which are the body. */
  readonly form?: Readonly<Record<string, string>>
  /** A document, which is the body. */
  readonly json?: string
  /** How many bytes of the body are read; what is beyond is cut off, and the answer says so. */
  readonly maxBytes: number
  /** Certificates of authorities, PEM, that are trusted beside none other. */
  readonly ca?: string
  /** Called when the connection is there, so that who waits can say what it waited for. */
  readonly connected?: () => void
}

export type HttpAnswer = {
  readonly status: number
  /** Names in lower case; the values of a repeated one are joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether the body was longer than what was read. */
  readonly cut: boolean
  /** When the server's certificate ends, in milliseconds since 1970; only with TLS. */
  readonly certificateEnds?: number
}

/**
 * One request on a connection of its own. Redirects are answers like any other. Failures: those of `socketFailure`, `answer-invalid` where what
 * comes back is no HTTP, `request-invalid` where the question cannot be sent; or the signal's reason.
 */
export async function httpRequest(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  signal.throwIfAborted()
  const { url, method, addresses } = question
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const tls = url.protocol === 'https:'
  const host = question.host ?? url.host
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  const sentBody = question.form === undefined ? question.json : new URLSearchParams(question.form).toString()
  const sentType = question.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
  const options: RequestOptions = {
    method,
    host: hostname,
    port: url.port === '' ? (tls ? 443 : 80) : url.port,
    path: `${url.pathname}${url.search}`,
    headers: { accept: '*/*', 'user-agent': 'plumbline-probe', ...(sentBody === undefined ? {} : { 'content-type': sentType }), ...question.headers, host, connection: 'close' },
    agent: false,
    lookup: fixedLookup(addresses),
    maxHeaderSize: 64 * 1024,
    signal,
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  let sent: ReturnType<typeof requestHttp> | undefined
  try {
    sent = tls
      ? requestHttps({ ...options, ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }), ...(question.ca === undefined ? {} : { ca: question.ca }) })
      : requestHttp(options)
    sent.once('response', resolve).on('error', reject)
    sent.once('socket', (socket) => socket.once(tls ? 'secureConnect' : 'connect', () => question.connected?.()))
    sent.end(sentBody)
    const answer = await promise
    const certificateEnds = tls ? endOf(answer.socket as TLSSocket) : undefined
    const { body, cut } = await read(answer, question.maxBytes)
    return {
      status: answer.statusCode ?? 0,
      headers: Object.fromEntries(Object.entries(answer.headers).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : (value ?? '')])),
      body,
      cut,
      ...(certificateEnds === undefined ? {} : { certificateEnds }),
    }
  } catch (error) {
    signal.throwIfAborted()
    throw failureOf(error, `${hostname.includes(':') ? `[${hostname}]` : hostname}:${String(options.port)}`)
  } finally {
    sent?.destroy()
  }
}

async function read(answer: IncomingMessage, maxBytes: number): Promise<{ body: string; cut: boolean }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
    if (bytes > maxBytes) break
  }
  return { body: Buffer.concat(chunks).toString('utf8'), cut: bytes > maxBytes }
}

function endOf(socket: TLSSocket): number | undefined {
  const end = Date.parse(socket.getPeerCertificate().valid_to)
  return Number.isNaN(end) ? undefined : end
}

function failureOf(error: unknown, subject: string): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('HPE_')) return new Failure({ code: 'answer-invalid', subject, message: `${subject} does not answer in HTTP (${code})`, cause: error })
  if (code.startsWith('ERR_INVALID') || code === 'ERR_UNESCAPED_CHARACTERS' || code === 'ERR_HTTP_INVALID_HEADER_VALUE') {
    return new Failure({ code: 'request-invalid', subject, message: 'the path, host or a header holds characters that cannot be sent', cause: error })
  }
  return socketFailure(error, subject)
}
