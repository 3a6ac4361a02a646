import { canary, conformance } from '../conformance.ts'
import { reachTo } from '../testing.ts'
import { dns } from './dns.ts'
import { FakeDnsServer, a } from './fake-dns-server.ts'

conformance(dns, async () => {
  const server = new FakeDnsServer((name) => (name === 'orders.example' ? { records: [a('10.0.0.1')] } : name === 'hang.example' ? 'silence' : { code: 3 }))
  const clients = { reach: reachTo({ ns: `dns://user:${canary}@127.0.0.1:${await server.start()}` }) }
  const question = (name: string) => ({ clients, config: { name, resolver: 'ns' } })
  return { passing: question('orders.example'), failing: question('gone.example'), hanging: question('hang.example'), stop: () => server.stop() }
})
