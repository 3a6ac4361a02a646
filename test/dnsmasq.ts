import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { findProgram, freePort, serverFolder, startGuarded } from './guarded-server.ts'

/** Why tests on a dnsmasq name server cannot run here, or nothing if they can. */
export function dnsmasqMissing(): string | undefined {
  return findProgram('dnsmasq') === undefined ? 'no dnsmasq: dnsmasq-base of Debian' : undefined
}

/**
 * A dnsmasq on the loopback that knows `example` by these options, and refuses what is elsewhere, as it has nobody to ask. It ends with this process, however
 * that ends. `pid`: of the server itself.
 */
export async function startDnsmasq(records: readonly string[]): Promise<{ readonly port: number; readonly pid: number; readonly stop: () => Promise<void> }> {
  const program = findProgram('dnsmasq')
  if (program === undefined) throw new Error(dnsmasqMissing())
  const folder = serverFolder('dnsmasq')
  const port = await freePort()
  const args = ['--keep-in-foreground', '--conf-file=/dev/null', `--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts', '--local=/example/', `--pid-file=${join(folder, 'pid')}`, ...records]
  const server = startGuarded(folder, program, args)
  const resolver = new Resolver({ timeout: 200, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  await eventually(async () => {
    if (!server.isRunning()) throw new Error('dnsmasq did not start')
    return resolver.resolve4('nobody.example').then(() => true, (error: NodeJS.ErrnoException) => error.code === 'ENOTFOUND')
  })
  return { port, pid: Number(readFileSync(join(folder, 'pid'), 'utf8')), stop: server.stop }
}
