import { httpRequest } from '#clients/http/request.ts'
import { Failure } from '#lib/failure.ts'
import { authorizationHeader } from '../authorization.ts'
import { httpUrl, withScheme } from '../http-url.ts'
import type { Probe, Reach } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { expectedStatus, judgeAnswer } from './judge-answer.ts'
import { schema } from './schema.ts'
import type { HttpConfig } from './schema.ts'

const maxBytes = 1024 * 1024

/** Asks an HTTP server, and looks at its answer. */
export const http: Probe<HttpConfig, 'reach' | 'secret'> = {
  kind: 'http',
  needs: ['reach', 'secret'],
  schema,
  sample: (call, config) => {
    const { clock, signal, clients: { reach, secret } } = call
    const asking: Asking = {
      signal: config.latency !== undefined ? 'latency' : config.json !== undefined ? 'count' : 'reachability',
      target: `${config.method} ${config.address ?? 'url'}${withoutQuery(config.path ?? '')}`,
      phase: { name: 'name resolution', of: 'way' },
      threshold: `status = ${expectedStatus(config)}`,
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const url = urlOf(config, reach)
      asking.target = `${config.method} ${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}${config.host === undefined ? '' : ` (Host: ${config.host})`}`
      const signedIn = await authorizationHeader(config.authorization, secret)
      const began = clock.now()
      const addresses = await reach.resolve(url.hostname, signal)
      asking.phase = { name: 'connection', of: 'subject' }
      const answer = await httpRequest(
        {
          method: config.method,
          url,
          addresses,
          headers: { ...config.headers, ...signedIn },
          maxBytes,
          connected: () => (asking.phase = { name: 'answer', of: 'subject' }),
          ...(config.host === undefined ? {} : { host: config.host }),
          ...(config.tls?.ca === undefined ? {} : { ca: config.tls.ca }),
        },
        signal,
      )
      return judgeAnswer(config, answer, clock.now(), clock.now() - began)
    })
  },
}

/** Where the question goes. Failure `probe-out-of-reach` for a URL that leads to no address of the environment, and what `reach.address` throws. */
function urlOf(config: HttpConfig, reach: Reach): URL {
  if (config.url !== undefined) {
    const url = httpUrl(config.url, 'url')
    const known = reach.addresses().some((address) => {
      const listed = URL.parse(withScheme(address))
      return listed !== null && listed.origin === url.origin && listed.origin !== 'null'
    })
    if (known) return url
    throw new Failure({ code: 'probe-out-of-reach', subject: url.origin, message: `${url.origin} is no address that the environment lists`, hint: 'Add it to the environment’s `addresses` and `reach`.' })
  }
  const name = config.address ?? ''
  const url = httpUrl(withScheme(reach.address(name)), name)
  if (config.path === undefined) return url
  const [path = '/', ...query] = config.path.split('?')
  url.pathname = path
  url.search = query.length === 0 ? '' : `?${query.join('?')}`
  return url
}

function withoutQuery(path: string): string {
  return path.includes('?') ? ` ${path.slice(0, path.indexOf('?'))}?…` : path === '' ? '' : ` ${path}`
}
