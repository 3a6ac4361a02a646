import { Resolver } from 'node:dns/promises'
import { Failure } from '#lib/failure.ts'
import { until } from '#lib/until.ts'

type DnsRecordType = 'A' | 'AAAA' | 'CNAME' | 'TXT' | 'MX' | 'SRV'

export type DnsQuestion = {
  readonly name: string
  readonly type: DnsRecordType
  /** IP addresses (with ports) of the servers that are asked, in order; the system's, if left out. */
  readonly servers?: readonly string[]
}

/**
 * The records of a name, as texts: addresses, names, joined TXT strings, `<priority> <exchange>`, `<priority> <weight> <port> <target>`. The
 * system's hosts file plays no part. None, where the name has none of that type, or does not exist (RFC 1035's NXDOMAIN). Failures
 * `dns-answer` (the server says that it failed, or refuses), `dns-no-answer`, `request-invalid`; or the signal's reason.
 */
export async function dnsQuery(question: DnsQuestion, signal: AbortSignal): Promise<string[]> {
  signal.throwIfAborted()
  const resolver = new Resolver({ timeout: 2_000, tries: 3 })
  try {
    if (question.servers !== undefined) resolver.setServers(question.servers)
    return await until(ask(resolver, question), signal)
  } catch (error) {
    signal.throwIfAborted()
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOTFOUND' || code === 'ENODATA') return []
    throw failureOf(code, question, error)
  } finally {
    resolver.cancel()
  }
}

async function ask(resolver: Resolver, { name, type }: DnsQuestion): Promise<string[]> {
  switch (type) {
    case 'A':
      return resolver.resolve4(name)
    case 'AAAA':
      return resolver.resolve6(name)
    case 'CNAME':
      return resolver.resolveCname(name)
    case 'TXT':
      return (await resolver.resolveTxt(name)).map((strings) => strings.join(''))
    case 'MX':
      return (await resolver.resolveMx(name)).map((one) => `${one.priority} ${one.exchange}`)
    case 'SRV':
      return (await resolver.resolveSrv(name)).map((one) => `${one.priority} ${one.weight} ${one.port} ${one.name}`)
  }
}

/** The words for c-ares' codes that are an answer of the server. */
const answered: Readonly<Record<string, string>> = {
  ESERVFAIL: 'that it failed (SERVFAIL)',
  EREFUSED: 'that it refuses (REFUSED)',
  ENOTIMP: 'that it does not know such questions (NOTIMP)',
  EFORMERR: 'that it does not understand the question (FORMERR)',
  EBADRESP: 'with what makes no sense',
}

function failureOf(code: string, { name, type }: DnsQuestion, cause: unknown): Failure {
  const subject = `${type} ${name}`
  const words = answered[code]
  if (words !== undefined) return new Failure({ code: 'dns-answer', subject, message: `the name server answers ${words}`, retry: 'later', cause })
  if (code === 'EBADNAME' || code === 'EBADQUERY' || code.startsWith('ERR_INVALID')) return new Failure({ code: 'request-invalid', subject, message: 'this is no name that can be asked for', cause })
  const why = code === 'ETIMEOUT' ? 'no answer came' : code === 'ECONNREFUSED' ? 'nothing listens there' : code
  return new Failure({ code: 'dns-no-answer', subject, message: `the name server does not answer: ${why}`, retry: 'later', cause })
}
