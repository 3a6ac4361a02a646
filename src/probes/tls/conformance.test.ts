import { createServer } from 'node:tls'
import { issue } from '../../../test/certificates.ts'
import { canary, conformance } from '../conformance.ts'
import { listen, reachTo, startTcp } from '../testing.ts'
import { tls } from './tls.ts'

const year = 365 * 86_400_000

conformance(tls, async () => {
  // The suite's clock stands at the beginning of 2026: days enough are left by any.
  const authority = issue({ commonName: 'authority', isAuthority: true, to: year })
  const leaf = issue({ commonName: 'shop', names: ['shop.example'], issuer: authority, to: year })
  const server = createServer({ key: leaf.key, cert: leaf.cert }, (socket) => socket.on('error', () => {}).end(canary)).on('tlsClientError', () => {})
  const port = await listen(server)
  const silent = await startTcp(() => {})
  const clients = { reach: reachTo({ shop: `https://user:${canary}@127.0.0.1:${port}`, silent: `127.0.0.1:${silent.port}` }) }
  const question = (address: string, host: string) => ({ clients, config: { address, host, ca: authority.cert } })
  return {
    passing: question('shop', 'shop.example'),
    failing: question('shop', 'other.example'),
    hanging: question('silent', 'shop.example'),
    stop: async () => {
      await silent.stop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
})
