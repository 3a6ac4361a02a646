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

/** Asks a name server, or several, for the records of a name. */
export const dns: Probe<DnsConfig, 'reach'> = {
  kind: 'dns',
  needs: ['reach'],
  schema,
  sample: (call, config) => {
    const { name, type, resolver, resolvers } = config
    const at = resolvers?.join(', ') ?? resolver
    const asking: Asking = {
      signal: resolvers === undefined ? 'boolean' : 'diff',
      target: `${type} ${name}${at === undefined ? '' : ` at ${at}`}`,
      phase: { name: 'name server', of: 'way' },
      threshold: ruleText(config),
    }
    const { reach } = call.clients
    return takeSample(call, asking, async (): Promise<Found> => {
      if (resolvers !== undefined) {
        const servers = await Promise.all(resolvers.map(async (one) => ({ name: one, addresses: await serversOf(one, reach, call.signal) })))
        asking.phase = { name: 'name servers', of: 'subject' }
        const all = await Promise.all(servers.map(async ({ name: one, addresses }) => ({ resolver: one, ...(await answerOf(config, addresses, call.signal, one)) })))
        return judgeAgreement(config, all)
      }
      const servers = resolver === undefined ? undefined : await serversOf(resolver, reach, call.signal)
      // Which name server is asked decides whose silence it is: one that the probe names is itself what is probed.
      asking.phase = { name: 'name server', of: resolver === undefined ? 'way' : 'subject' }
      const answer = await answerOf(config, servers, call.signal, resolver)
      if ('failed' in answer) throw probeFailed(name, answer.failed)
      return { value: answer.records.slice(0, kept), ...judgeRecords(config, answer.records) }
    })
  },
}

type Answer = { readonly records: readonly string[] } | { readonly failed: string }

/** What a name server answers; that it does not is an answer, too, of one that the probe names. */
async function answerOf({ name, type }: DnsConfig, servers: readonly string[] | undefined, signal: AbortSignal, resolver: string | undefined): Promise<Answer> {
  try {
    return { records: await dnsQuery({ name, type, ...(servers === undefined ? {} : { servers }) }, signal) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.code === 'dns-answer' || (error.code === 'dns-no-answer' && resolver !== undefined)) return { failed: error.message }
    throw error
  }
}

/** Several name servers: each must answer, all the same, and as the rule says. The value is how many of them say something else than the first. */
function judgeAgreement(config: DnsConfig, all: readonly (Answer & { readonly resolver: string })[]): Found {
  const texts = all.map((one) => ('failed' in one ? '' : JSON.stringify(one.records.map((record) => comparable(config, record)).toSorted())))
  const value = texts.filter((text) => text !== texts[0]).length
  for (const one of all) {
    const { verdict, message } = 'failed' in one ? { verdict: 'failed' as const, message: one.failed } : judgeRecords(config, one.records)
    if (verdict !== 'passed') return { value, verdict, message: `${one.resolver}: ${message}` }
  }
  const said = (one: Answer & { readonly resolver: string }): string => `${'failed' in one ? '' : showRecords(one.records)} at ${one.resolver}`
  const [first] = all
  const other = all.find((_one, index) => texts[index] !== texts[0])
  if (first === undefined || other === undefined) return { value, verdict: 'passed', message: `${all.length} name servers agree: ${config.type} ${config.name} is ${first === undefined || 'failed' in first ? '' : showRecords(first.records)}` }
  return { value, verdict: 'failed', message: `the name servers differ: ${config.type} ${config.name} is ${said(first)}, and ${said(other)}` }
}

function showRecords(records: readonly string[]): string {
  return records.length === 0 ? 'nothing' : `${records.slice(0, 3).map(show).join(', ')}${records.length > 3 ? ` and ${records.length - 3} more` : ''}`
}

async function serversOf(resolver: string, reach: Reach, signal: AbortSignal): Promise<string[]> {
  const { host, port } = hostAndPort(reach.address(resolver), resolver, 53)
  return (await reach.resolve(host, signal)).map((address) => showHostAndPort({ host: address, port }))
}

function judgeRecords(config: DnsConfig, records: readonly string[]): Pick<Found, 'verdict' | 'message'> {
  const { name, type, contains, equals, min } = config
  const what = `${type} ${name}`
  const sorted = (all: readonly string[]): string[] => all.map((one) => comparable(config, one)).toSorted()
  const there = records.length === 0 ? 'has no records' : `is ${showRecords(records)}`
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

function ruleText({ contains, equals, min, resolvers }: DnsConfig): string {
  const parts = [
    ...(equals === undefined ? [] : [`= ${[equals].flat().map(show).join(', ') || 'none'}`]),
    ...(contains === undefined ? [] : [`contains ${show(contains)}`]),
    ...(min === undefined ? [] : [`at least ${min} records`]),
  ]
  const rule = parts.length === 0 ? 'at least 1 record' : parts.join(', ')
  return resolvers === undefined ? rule : `${rule}, the same at all`
}
