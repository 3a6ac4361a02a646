import { lookup } from 'node:dns/promises'
import { Failure } from '#lib/failure.ts'
import { until } from '#lib/until.ts'
import { refusedAddress } from './refused-address.ts'

const limitMs = 10_000

/**
 * A host (a name, or an IP address in any spelling that the system understands) as the addresses that may be dialled. A host of which one
 * address is refused is refused whole: who dials it would otherwise be led there by chance. Loopback and private addresses are allowed: the environment lists what
 * may be reached. Failures `probe-out-of-reach`, `dns-not-found`, `dns-failed`; or the signal's reason.
 */
export async function resolveHost(host: string, signal: AbortSignal): Promise<string[]> {
  const name = host.replace(/^\[(.*)\]$/, '$1')
  if (!/^[\w.:%*-]{1,255}$/.test(name)) throw failure('dns-not-found', host, 'this is no name of a host')
  const addresses = await addressesOf(name, signal)
  const refused = addresses.find(refusedAddress)
  if (refused === undefined) return [...new Set(addresses)]
  throw new Failure({
    code: 'probe-out-of-reach',
    subject: host,
    message: `${host === refused ? host : `${host} (${refused})`} is a link-local, metadata, unspecified or multicast address, which nothing may reach`,
    hint: 'Give the address of the system that is meant.',
  })
}

async function addressesOf(name: string, signal: AbortSignal): Promise<string[]> {
  try {
    const found = await until(lookup(name, { all: true, order: 'verbatim' }), AbortSignal.any([signal, AbortSignal.timeout(limitMs)]))
    return found.map(({ address }) => address)
  } catch (error) {
    signal.throwIfAborted()
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOTFOUND' || code === 'ENODATA') throw failure('dns-not-found', name, `no address is known for ${name}`, error)
    throw failure('dns-failed', name, `${name} cannot be resolved: ${error instanceof Error && error.name === 'TimeoutError' ? `no answer within ${limitMs / 1000} s` : code || 'the resolver failed'}`, error)
  }
}

const hints = {
  'dns-not-found': 'Is the name right? The control plane’s own machine has to know it: a name that only a cluster knows is asked for there.',
  'dns-failed': 'The name server of the control plane’s machine does not answer as it should: look at its resolver, or give an address in place of the name.',
} as const

function failure(code: 'dns-not-found' | 'dns-failed', subject: string, message: string, cause?: unknown): Failure {
  return new Failure({ code, subject, message, hint: hints[code], retry: 'later', ...(cause === undefined ? {} : { cause }) })
}
