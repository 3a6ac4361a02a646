import { Failure } from '#lib/failure.ts'

/** What a failed connection means, by the system's code. Failures `connection-refused`, `connection-unreachable`, `connection-lost`, `tls-failed`, `connection-failed`. */
export function socketFailure(error: unknown, subject: string): Failure {
  const code = codeOf(error)
  const make = (failure: string, message: string): Failure => new Failure({ code: failure, subject, message, retry: 'later', cause: error })
  if (code === 'ECONNREFUSED') return make('connection-refused', `connection refused by ${subject}`)
  if (code === 'EHOSTUNREACH' || code === 'EHOSTDOWN' || code === 'ETIMEDOUT') return make('connection-unreachable', `${subject} cannot be reached (${code})`)
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') return make('connection-lost', `${subject} closed the connection`)
  if (isTls(code)) return make('tls-failed', `TLS with ${subject} failed: ${tlsWords(code)}${error instanceof AggregateError ? ' at every address' : ''}`)
  // The rest is on this side: no network, no file handles, a local address that is not there.
  return make('connection-failed', `no connection to ${subject} could be made (${code || 'for no reason that was told'})`)
}

/** Node tries several addresses at once and reports them together: the first one's reason is as good as any. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function isTls(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|ERROR_IN_CERT)/.test(code)
}

/** What a code of Node's TLS, or of OpenSSL's verification, means. */
export function tlsWords(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate has expired'
  if (code === 'CERT_NOT_YET_VALID') return 'the certificate is not valid yet'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate is for another name'
  if (/SELF_SIGNED|UNABLE_TO/.test(code)) return 'the certificate is not signed by an authority that is trusted here'
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return 'the server does not speak TLS, or none that is accepted'
  return code
}
