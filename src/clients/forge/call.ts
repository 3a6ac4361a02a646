import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { Redactor } from '#lib/redact.ts'

/** `message`: what the forge said went wrong, without secrets, on one line. */
export type ForgeAnswer = { readonly subject: string; readonly status: number; readonly json: Json; readonly message: string }
export type ForgeCall = (method: 'GET' | 'POST', path: string, body?: JsonObject) => Promise<ForgeAnswer>

const limits = { timeoutMs: 20_000, bytes: 2 * 1024 * 1024 }
const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Calls to a forge's API. Nothing is followed elsewhere, and `http` goes to this very machine only: the token is in every call.
 * Failures: `forge-url-refused`, `forge-unreachable`.
 */
export function forgeCaller(options: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly token: string; readonly signal: AbortSignal }): ForgeCall {
  const base = URL.canParse(options.url) ? new URL(options.url) : undefined
  const isFit = base !== undefined && base.username === '' && base.password === '' && (base.protocol === 'https:' || (base.protocol === 'http:' && loopback.has(base.hostname)))
  if (!isFit) {
    throw new Failure({ code: 'forge-url-refused', subject: base?.host ?? 'forge', message: 'the URL of the forge is none that is called', hint: 'Use https://host, or http:// to this very machine, without credentials.' })
  }
  const redactor = new Redactor()
  redactor.add(options.token)
  return async (method, path, body) => {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(limits.timeoutMs)])
    try {
      // undici follows no redirect of itself: one is an answer like any other. Loaded when a forge is asked: it is large.
      const { request } = await import('undici')
      const answer = await request(`${base.href.replace(/\/$/, '')}${path}`, {
        method, signal,
        headers: { accept: 'application/json', 'user-agent': 'plumbline', ...options.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const json = parsed(await text(answer.body, base.host))
      return { subject: base.host, status: answer.statusCode, json, message: redactor.redact(messageOf(json)) }
    } catch (error) {
      options.signal.throwIfAborted()
      if (error instanceof Failure) throw error
      const cause = error instanceof Error ? error.message : String(error)
      throw new Failure({ code: 'forge-unreachable', subject: base.host, message: `the forge ${base.host} could not be asked: ${redactor.redact(cause)}`, hint: 'The branch was pushed; the pull request is tried again.', retry: 'later' })
    }
  }
}

async function text(body: AsyncIterable<Buffer>, subject: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limits.bytes) throw new Failure({ code: 'forge-unreachable', subject, message: `the forge’s answer has more than ${limits.bytes} bytes`, retry: 'later' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(body: string): Json {
  try {
    return JSON.parse(body) as Json
  } catch {
    return null
  }
}

/** GitHub and Gitea have `message`, GitLab has it too, as a text, a list or an object of lists, or `error`. */
function messageOf(json: Json): string {
  if (!isObject(json)) return ''
  const said = json['message'] ?? json['error'] ?? ''
  // oxlint-disable-next-line no-control-regex
  return (typeof said === 'string' ? said : JSON.stringify(said)).replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 300)
}
