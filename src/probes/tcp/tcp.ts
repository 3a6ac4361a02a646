import { tcpExchange } from '#clients/tcp/exchange.ts'
import { hostAndPort, showHostAndPort } from '../host-port.ts'
import type { Probe } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { judge, show } from '../thresholds.ts'
import { schema } from './schema.ts'
import type { TcpConfig } from './schema.ts'

const maxBytes = 64 * 1024

/** Connects to a TCP port, and reads what is said there if something is expected. */
export const tcp: Probe<TcpConfig, 'reach'> = {
  kind: 'tcp',
  needs: ['reach'],
  schema,
  sample: (call, config) => {
    const { clock, signal, clients: { reach } } = call
    const { send, expect, latency } = config
    const threshold = expect === undefined ? 'accepts connections' : `says ${show(expect)}`
    const asking: Asking = {
      signal: latency === undefined ? 'reachability' : 'latency',
      target: `connect ${config.address}`,
      phase: { name: 'name resolution', of: 'way' },
      threshold,
    }
    return takeSample(call, asking, async (): Promise<Found> => {
      const place = hostAndPort(reach.address(config.address), config.address)
      asking.target = `connect ${showHostAndPort(place)}`
      const began = clock.now()
      const addresses = await reach.resolve(place.host, signal)
      asking.phase = { name: 'connection', of: 'subject' }
      const said = await tcpExchange(
        {
          ...place,
          addresses,
          maxBytes,
          connected: () => (asking.phase = { name: 'answer', of: 'subject' }),
          ...(send === undefined ? {} : { send }),
          ...(expect === undefined ? {} : { enough: (received: string) => received.includes(expect) }),
        },
        signal,
      )
      if (expect !== undefined && !said.includes(expect)) {
        return { verdict: 'failed', threshold, message: said === '' ? `connected, but nothing was said: expected ${show(expect)}` : `connected, but what was said does not contain ${show(expect)}` }
      }
      const passed = expect === undefined ? 'connected' : `connected, and was answered with ${show(expect)}`
      if (latency === undefined) return { verdict: 'passed', threshold, message: passed }
      return judge('latency', clock.now() - began, { ...latency, unit: 'ms' })
    })
  },
}
