/** One HTTP request as it goes out. `path` is absolute on the server, with its query; `body` is complete. */
export type Outgoing = {
  readonly method: 'GET' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer whose body has not been read yet. Iterating `body` throws `LostConnection` where it ends early. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of a body that nobody will read. */
  discard(): void
}

/** A connection to one server. `send` throws `LostConnection`, or the signal's reason. */
export type Connection = {
  readonly protocol: 'h2' | 'http/1.1'
  /** False when no further request can be started on it now: it ends, or has no stream left. */
  usable(): boolean
  ended(): boolean
  send(request: Outgoing, signal: AbortSignal): Promise<Answer>
  close(): void
}

/** How to reach and trust a server, and who we are. */
export type Endpoint = {
  readonly server: URL
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly insecure: boolean
}

/**
 * The connection failed below HTTP. `processed` tells whether the server can have acted on the request: `no` where it certainly has not seen
 * it (the connection was never made, or the server said that it left the stream alone), so that even a write may be sent again.
 */
export class LostConnection extends Error {
  readonly processed: 'no' | 'perhaps'

  constructor(processed: 'no' | 'perhaps', cause: unknown) {
    super(cause instanceof Error && cause.message !== '' ? cause.message : 'the connection was lost', { cause })
    this.name = 'LostConnection'
    this.processed = processed
  }
}
