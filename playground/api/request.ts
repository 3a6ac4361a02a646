/** Who asks: one object a request. */
export type User = { readonly name: string; readonly groups: readonly string[]; readonly uid?: string; readonly extra?: Readonly<Record<string, readonly string[]>> }

/** A request as the verbs see it, whatever HTTP version carried it. */
export type ApiRequest = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  readonly user: User
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal
}

/** What a stream writes to. `closed` resolves when nobody reads any more. */
export type Sink = { write(text: string | Uint8Array): void; readonly signal: AbortSignal }

export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>> } & (
  | { readonly body: string }
  | { readonly stream: (sink: Sink) => Promise<void> }
)

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: `${JSON.stringify(value)}\n` }
}

export function text(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body }
}

export const pageNotFound: Answer = text(404, '404 page not found\n')

/** RFC 7234 warnings with the code that Kubernetes uses. */
export function warningHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {}
  return { warning: [...new Set(warnings)].map((warning) => `299 - ${quote(warning)}`).join(', ') }
}

function quote(text: string): string {
  const printable = text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `"${printable}"`
}
