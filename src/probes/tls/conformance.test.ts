import { createServer } from 'node:tls'
import { issue } from '../../../test/certificates.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { closedPort, listen, reachTo, startTcp } from '../testing.ts'
import { tls } from './tls.ts'

const year = 365 * 86_400_000

conformance(tls, async () => {
  // The suite's clock stands at the beginning of 2026: days enough are left by any.
  const authority = issue({ commonName: 'authority', isAuthority: true, to: year })
  const leaf = issue({ commonName: 'shop', names: ['shop.example'], issuer: authority, to: year })
  const server = createServer({ key: leaf.key, cert: leaf.cert }, (socket) => socket.on('error', () => {}).end(canary)).on('tlsClientError', () => {})
  const port = await listen(server)
  const stranger = issue({ commonName: 'stranger', names: ['shop.example'], to: year })
  const lying = createServer({ key: stranger.key, cert: stranger.cert }, (socket) => socket.on('error', () => {}).end()).on('tlsClientError', () => {})
  const lyingAt = await listen(lying)
  const slow = await startTcp((socket) => void setTimeout(() => server.emit('connection', socket), slowMs))
  const silent = await startTcp(() => {})
  const clients = { reach: reachTo({ shop: `https://user:${canary}@127.0.0.1:${port}`, silent: `127.0.0.1:${silent.port}`, slow: `127.0.0.1:${slow.port}`, lying: `127.0.0.1:${lyingAt}`, closed: `127.0.0.1:${await closedPort()}` }) }
  const question = (address: string, host: string) => ({ clients, config: { address, host, ca: authority.cert } })
  return {
    passing: question('shop', 'shop.example'),
    failing: question('shop', 'other.example'),
    hanging: question('silent', 'shop.example'),
    refusing: question('closed', 'shop.example'),
    lying: question('lying', 'shop.example'),
    slow: question('slow', 'shop.example'),
    stop: async () => {
      await silent.stop()
      await slow.stop()
      await new Promise((resolve) => lying.close(resolve))
      await new Promise((resolve) => server.close(resolve))
    },
  }
})
