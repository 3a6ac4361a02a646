import { createSocket } from 'node:dgram'
import { dnsmasqMissing, startDnsmasq } from '../../../test/dnsmasq.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { reachTo } from '../testing.ts'
import { dns } from './dns.ts'

conformance(
  dns,
  async () => {
    const [server, hanging] = await Promise.all([startDnsmasq(['--host-record=orders.example,10.0.0.1']), startDnsmasq(['--host-record=orders.example,10.0.0.1'])])
    hanging.hang()
    const slow = await slowWayTo(server.port)
    const address = (port: number): string => `dns://user:${canary}@127.0.0.1:${port}`
    const clients = { reach: reachTo({ ns: address(server.port), hanging: address(hanging.port), slow: address(slow.port) }) }
    const question = (name: string, resolver = 'ns') => ({ clients, config: { name, resolver } })
    return {
      passing: question('orders.example'),
      failing: question('gone.example'),
      hanging: question('orders.example', 'hanging'),
      refusing: question('elsewhere.test'),
      lying: { clients, config: { ...question('orders.example').config, contains: '10.0.0.2' } },
      slow: question('orders.example', 'slow'),
      stop: async () => {
        await Promise.all([slow.stop(), server.stop(), hanging.stop()])
      },
    }
  },
  dnsmasqMissing(),
)

/** The real one, behind a way that takes its time. */
async function slowWayTo(port: number): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const front = createSocket('udp4')
  front.on('message', (question, asker) => {
    const behind = createSocket('udp4')
    behind.once('message', (answer) => {
      behind.close()
      setTimeout(() => front.send(answer, asker.port, asker.address, () => {}), slowMs)
    })
    behind.send(question, port, '127.0.0.1')
  })
  await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve))
  return { port: front.address().port, stop: () => new Promise((resolve) => front.close(resolve)) }
}
