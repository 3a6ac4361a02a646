import { httpRequest } from '#clients/http/request.ts'
import { Failure } from '#lib/failure.ts'
import { authorizationHeader } from '../authorization.ts'
import { httpUrl, withScheme } from '../http-url.ts'
import type { Probe } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { judge, thresholdText, worstOf } from '../thresholds.ts'
import { readAnswer } from './read-answer.ts'
import type { PrometheusAnswer, Series } from './read-answer.ts'
import { schema } from './schema.ts'
import type { PrometheusConfig } from './schema.ts'

const maxBytes = 4 * 1024 * 1024

/** Asks Prometheus. It only tells of what is probed: whatever is wrong with itself leaves that unknown. */
export const prometheus: Probe<PrometheusConfig, 'reach' | 'secret'> = {
  kind: 'prometheus',
  needs: ['reach', 'secret'],
  schema,
  sample: (call, config) => {
    const { clock, signal, clients: { reach, secret } } = call
    const { address, query, range, unit } = config
    const asking: Asking = {
      signal: unit === 's' || unit === 'ms' ? 'latency' : 'count',
      target: `${address}: ${query.replaceAll(/\s+/g, ' ').trim()}`.slice(0, 200),
      phase: { name: 'name resolution', of: 'way' },
      threshold: thresholdText(config) ?? 'gives a value',
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const url = httpUrl(withScheme(reach.address(address)), address)
      url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query${range === undefined ? '' : '_range'}`
      url.search = ''
      const signedIn = await authorizationHeader(config.authorization, secret)
      const addresses = await reach.resolve(url.hostname, signal)
      asking.phase = { name: `connection to ${address}`, of: 'way' }
      const answer = await httpRequest(
        {
          method: 'POST',
          url,
          addresses,
          headers: signedIn,
          form: formOf(config, clock.now()),
          maxBytes,
          connected: () => (asking.phase = { name: `answer of ${address}`, of: 'way' }),
          ...(config.ca === undefined ? {} : { ca: config.ca }),
        },
        signal,
      )
      if (answer.status === 401 || answer.status === 403) throw refused(address, `${address} does not take the credentials (${answer.status})`)
      if (answer.cut) throw refused(address, `${address} answers with more than ${maxBytes / 1024 / 1024} MiB: ask for fewer series`)
      return judgeAnswer(config, readAnswer(answer.body, range?.take, address))
    })
  },
}

/** Times are seconds since 1970. For now the server's own clock decides, whose samples they are. */
function formOf({ query, range }: PrometheusConfig, now: number): Record<string, string> {
  if (range === undefined) return { query }
  const step = Math.max(1, range.step ?? range.over / 60) / 1000
  return { query, start: String((now - range.over) / 1000), end: String(now / 1000), step: String(step) }
}

function judgeAnswer(config: PrometheusConfig, { series, warning }: PrometheusAnswer): Found {
  const [first, ...others] = series.map((one) => judgeSeries(config, one))
  const found: Found = first === undefined ? { verdict: config.empty, message: 'the query gives nothing' } : worstOf([first, ...others])
  if (warning !== undefined) return { ...found, verdict: 'unknown', message: `the answer is not whole: ${warning}` }
  return others.length === 0 ? found : { ...found, message: `${found.message} (of ${series.length} series)` }
}

function judgeSeries(config: PrometheusConfig, { name, value }: Series): Found {
  const what = name ?? 'the value'
  // The quotient of nothing, or by nothing, tells nothing.
  if (!Number.isFinite(value)) return { verdict: 'unknown', message: `${what} is ${Number.isNaN(value) ? 'no number' : value > 0 ? '+Inf' : '-Inf'}` }
  return judge(what, value, { min: config.min, max: config.max, warn: config.warn, unit: config.unit })
}

function refused(address: string, message: string): Failure {
  return new Failure({ code: 'answer-invalid', subject: address, message, retry: 'later' })
}
