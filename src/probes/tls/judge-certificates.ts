import type { TlsAnswer } from '#clients/tls/handshake.ts'
import type { Found } from '../sample.ts'
import { judge, show, thresholdText } from '../thresholds.ts'
import type { TlsConfig } from './schema.ts'

const dayMs = 86_400_000

/** Everything that is asked of a server's certificates; the first thing that does not hold is told. The value is how many days the chain has left. */
export function judgeCertificates(config: TlsConfig, host: string, answer: TlsAnswer, now: number): Found {
  const [first, ...signers] = answer.chain
  if (first === undefined) return { verdict: 'failed', message: 'the server has no certificate' }
  const shortest = signers.reduce((least, one) => (one.ends < least.ends ? one : least), first)
  const days = Math.floor((shortest.ends - now) / dayMs)
  const base = { value: days, unit: 'days' }
  if (answer.problem !== undefined) return { ...base, verdict: 'failed', message: `the chain does not hold: ${answer.problem}` }
  const foreign = [host, ...config.names].find((name) => !answer.isFor(name))
  if (foreign !== undefined) {
    const some = answer.names.slice(0, 5).map(show).join(', ')
    return { ...base, verdict: 'failed', message: `the certificate is not for ${show(foreign)}, but for ${some === '' ? 'no name' : some}${answer.names.length > 5 ? ` and ${answer.names.length - 5} more` : ''}` }
  }
  const what = shortest === first ? 'the certificate’s days left' : `the days left of ${show(shortest.of)}, which signed it,`
  return judge(what, days, daysRule(config))
}

export function tlsThreshold(config: TlsConfig, host: string): string {
  return `holds for ${[host, ...config.names].join(', ')}, ${thresholdText(daysRule(config)) ?? ''}`
}

function daysRule({ minDaysLeft, warnDaysLeft }: TlsConfig): { min: number; warn: number | undefined; unit: string } {
  return { min: minDaysLeft, warn: warnDaysLeft, unit: 'days' }
}
