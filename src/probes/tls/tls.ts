import { tlsHandshake } from '#clients/tls/handshake.ts'
import { hostAndPort, showHostAndPort } from '../host-port.ts'
import type { Probe } from '../probe.ts'
import { takeSample } from '../sample.ts'
import type { Asking, Found } from '../sample.ts'
import { judgeCertificates, tlsThreshold } from './judge-certificates.ts'
import { schema } from './schema.ts'
import type { TlsConfig } from './schema.ts'

/** Shakes hands with a TLS server, and looks at its certificates. */
export const tls: Probe<TlsConfig, 'reach'> = {
  kind: 'tls',
  needs: ['reach'],
  schema,
  sample: (call, config) => {
    const { clock, signal, clients: { reach } } = call
    const asking: Asking = { signal: 'count', target: `certificates of ${config.host ?? config.address}`, phase: { name: 'name resolution', of: 'way' }, threshold: tlsThreshold(config, config.host ?? config.address) }
    return takeSample(call, asking, async (): Promise<Found> => {
      const place = hostAndPort(reach.address(config.address), config.address, 443)
      const name = config.host ?? place.host
      asking.target = `certificates of ${name}${name === place.host ? `:${place.port}` : ` at ${showHostAndPort(place)}`}`
      const addresses = await reach.resolve(place.host, signal)
      asking.phase = { name: 'connection', of: 'subject' }
      const answer = await tlsHandshake(
        { ...place, addresses, name, connected: () => (asking.phase = { name: 'handshake', of: 'subject' }), ...(config.ca === undefined ? {} : { ca: config.ca }) },
        signal,
      )
      return { ...judgeCertificates(config, name, answer, clock.now()), threshold: tlsThreshold(config, name) }
    })
  },
}
