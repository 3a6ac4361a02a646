import { canary, conformance, slowMs } from '../conformance.ts'
import { closedPort, reachTo, startTcp } from '../testing.ts'
import { tcp } from './tcp.ts'

conformance(tcp, async () => {
  const talking = await startTcp((socket) => socket.write(`+PONG ${canary}\r\n`))
  const slow = await startTcp((socket) => void setTimeout(() => socket.write(`+PONG ${canary}\r\n`), slowMs))
  const lying = await startTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const silent = await startTcp(() => {})
  const reach = reachTo({ talking: `redis://:${canary}@127.0.0.1:${talking.port}`, silent: `127.0.0.1:${silent.port}`, slow: `127.0.0.1:${slow.port}`, lying: `127.0.0.1:${lying.port}`, closed: `127.0.0.1:${await closedPort()}` })
  const question = (address: string) => ({ clients: { reach }, config: { address, send: `AUTH ${canary}\r\n`, expect: 'PONG' } })
  return {
    passing: question('talking'),
    failing: question('closed'),
    hanging: question('silent'),
    refusing: question('closed'),
    lying: question('lying'),
    slow: question('slow'),
    stop: async () => {
      for (const server of [talking, slow, lying, silent]) await server.stop()
    },
  }
})
