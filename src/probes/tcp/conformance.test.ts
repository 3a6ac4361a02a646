import { canary, conformance } from '../conformance.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { tcp } from './tcp.ts'

conformance(tcp, async () => {
  const talking = await startTcp((socket) => socket.write(`+PONG ${canary}\r\n`))
  const silent = await startTcp(() => {})
  const reach = reachTo({ talking: `redis://:${canary}@127.0.0.1:${talking.port}`, silent: `127.0.0.1:${silent.port}`, closed: `127.0.0.1:${await closedPort()}` })
  const question = (address: string) => ({ clients: { reach }, config: { address, send: `AUTH ${canary}\r\n`, expect: 'PONG' } })
  return {
    passing: question('talking'),
    failing: question('closed'),
    hanging: question('silent'),
    stop: async () => {
      await talking.stop()
      await silent.stop()
    },
  }
})
