import { dnsQuery } from '#clients/dns/query.ts'
import { Failure } from '#lib/failure.ts'
import { hostAndPort, showHostAndPort } from '../host-port.ts'
import type { Probe, Reach } from '../probe.ts'
import { probeFailed, takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { show } from '../thresholds.ts'
import { schema } from './schema.ts'
import type { DnsConfig } from './schema.ts'

/** How many records a sample keeps. */
const kept = 20

/** Asks a name server for the records of a name. */
export const dns: Probe<DnsConfig, 'reach'> = {
  kind: 'dns',
  needs: ['reach'],
  schema,
  sample: (call, config) => {
    const { name, type, resolver } = config
    const asking: Asking = {
      signal: 'boolean',
      target: `${type} ${name}${resolver === undefined ? '' : ` at ${resolver}`}`,
      phase: { name: 'name server', of: 'way' },
      threshold: ruleText(config),
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const servers = resolver === undefined ? undefined : await serversOf(resolver, call.clients.reach, call.signal)
      // Which name server is asked decides whose silence it is: one that the probe names is itself what is probed.
      asking.phase = { name: 'name server', of: resolver === undefined ? 'way' : 'subject' }
      const records = await dnsQuery({ name, type, ...(servers === undefined ? {} : { servers }) }, call.signal).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error
        const isAnswer = error.code === 'dns-answer' || (error.code === 'dns-no-answer' && resolver !== undefined)
        throw isAnswer ? probeFailed(error.subject, error.message) : error
      })
      return { value: records.slice(0, kept), threshold: ruleText(config), ...judgeRecords(config, records) }
    })
  },
}

async function serversOf(resolver: string, reach: Reach, signal: AbortSignal): Promise<string[]> {
  const { host, port } = hostAndPort(reach.address(resolver), resolver, 53)
  return (await reach.resolve(host, signal)).map((address) => showHostAndPort({ host: address, port }))
}

function judgeRecords(config: DnsConfig, records: readonly string[]): Pick<Found, 'verdict' | 'message'> {
  const { name, type, contains, equals, min } = config
  const what = `${type} ${name}`
  const sorted = (all: readonly string[]): string[] => all.map((one) => comparable(config, one)).toSorted()
  const there = records.length === 0 ? 'has no records' : `is ${records.slice(0, 3).map(show).join(', ')}${records.length > 3 ? ` and ${records.length - 3} more` : ''}`
  if (equals !== undefined) {
    const wanted = [equals].flat()
    if (JSON.stringify(sorted(wanted)) !== JSON.stringify(sorted(records))) return { verdict: 'failed', message: `${what} ${there}, expected ${wanted.map(show).join(', ') || 'none'}` }
  }
  if (contains !== undefined && !sorted(records).includes(comparable(config, contains))) return { verdict: 'failed', message: `${what} ${there}, expected ${show(contains)} among them` }
  const least = min ?? (equals === undefined && contains === undefined ? 1 : 0)
  if (records.length < least) return { verdict: 'failed', message: `${what} has ${records.length} records, at least ${least} expected` }
  return { verdict: 'passed', message: `${what} ${there}` }
}

/** Names are compared without regard to case or a final dot (RFC 4343), addresses as written, texts exactly. */
function comparable({ type }: DnsConfig, record: string): string {
  return type === 'TXT' ? record : record.toLowerCase().replace(/\.$/, '')
}

function ruleText({ contains, equals, min }: DnsConfig): string {
  const parts = [
    ...(equals === undefined ? [] : [`= ${[equals].flat().map(show).join(', ') || 'none'}`]),
    ...(contains === undefined ? [] : [`contains ${show(contains)}`]),
    ...(min === undefined ? [] : [`at least ${min} records`]),
  ]
  return parts.length === 0 ? 'at least 1 record' : parts.join(', ')
}
