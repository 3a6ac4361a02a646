import { canary, conformance, slowMs } from '../conformance.ts'
import { reachTo } from '../testing.ts'
import { dns } from './dns.ts'
import { FakeDnsServer, a } from './fake-dns-server.ts'
import type { FakeAnswer } from './fake-dns-server.ts'

const answers: Readonly<Record<string, FakeAnswer>> = { 'orders.example': { records: [a('10.0.0.1')] }, 'slow.example': { records: [a('10.0.0.1')] }, 'hang.example': 'silence', 'refused.example': { code: 5 }, 'lying.example': { records: [a('192.0.2.66')] } }

conformance(dns, async () => {
  const server = new FakeDnsServer((name) => answers[name] ?? { code: 3 })
  server.answersAfter = (name) => (name === 'slow.example' ? slowMs : 0)
  const clients = { reach: reachTo({ ns: `dns://user:${canary}@127.0.0.1:${await server.start()}` }) }
  const question = (name: string) => ({ clients, config: { name, resolver: 'ns' } })
  return { passing: question('orders.example'), failing: question('gone.example'), hanging: question('hang.example'), refusing: question('refused.example'), lying: { clients, config: { ...question('lying.example').config, contains: '10.0.0.1' } }, slow: question('slow.example'), stop: () => server.stop() }
})
