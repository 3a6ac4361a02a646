import { connect } from 'node:net'
import { fixedLookup } from '#clients/dns/fixed-lookup.ts'
import { socketFailure } from '#clients/socket-failure.ts'

export type TcpQuestion = {
  readonly host: string
  readonly port: number
  /** Where to connect to: nothing else is resolved. */
  readonly addresses: readonly string[]
  readonly send?: string
  /** Reads until this says that it is enough, the server ends, or `maxBytes` are there. Nothing is read without it. */
  readonly enough?: (received: string) => boolean
  readonly maxBytes: number
  readonly connected?: () => void
}

/** Connects, says something and listens, as asked, and closes. What was received is decoded as UTF-8. Failures: those of `socketFailure`; or the signal's reason. */
export async function tcpExchange(question: TcpQuestion, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const { host, port, send, enough, maxBytes } = question
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const received: Buffer[] = []
  let bytes = 0
  const text = (): string => Buffer.concat(received).toString('utf8')
  const socket = connect({ host, port, lookup: fixedLookup(question.addresses), autoSelectFamily: true })
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  socket.on('error', reject)
  socket.once('connect', () => {
    question.connected?.()
    if (send !== undefined) socket.write(send)
    if (enough === undefined) socket.end(() => resolve(''))
  })
  socket.on('data', (chunk: Buffer) => {
    if (enough === undefined) return
    received.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
    if (bytes >= maxBytes || enough(text())) resolve(text())
  })
  socket.once('close', () => resolve(text()))
  try {
    return await promise
  } catch (error) {
    signal.throwIfAborted()
    throw socketFailure(error, `${host.includes(':') ? `[${host}]` : host}:${port}`)
  } finally {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}
