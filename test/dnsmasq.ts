import { Resolver } from 'node:dns/promises'
import { eventually } from './eventually.ts'
import { findProgram, freePort, serverFolder, startGuarded } from './guarded-server.ts'
import type { GuardedServer } from './guarded-server.ts'

/** Why tests on a dnsmasq name server cannot run here, or nothing if they can. */
export function dnsmasqMissing(): string | undefined {
  return findProgram('dnsmasq') === undefined ? 'no dnsmasq: dnsmasq-base of Debian' : undefined
}

/**
 * A dnsmasq on the loopback that knows `example` by these options, and refuses what is elsewhere, as it has nobody to ask. It ends with this process, however
 * that ends.
 */
export async function startDnsmasq(records: readonly string[]): Promise<{ readonly port: number } & Pick<GuardedServer, 'hang' | 'stop'>> {
  const program = findProgram('dnsmasq')
  if (program === undefined) throw new Error(dnsmasqMissing())
  const folder = serverFolder('dnsmasq')
  const port = await freePort()
  const args = ['--keep-in-foreground', '--conf-file=/dev/null', `--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts', '--local=/example/', '--pid-file', ...records]
  const server = startGuarded(folder, program, args)
  const resolver = new Resolver({ timeout: 200, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  await eventually(async () => {
    if (!server.isRunning()) throw new Error('dnsmasq did not start')
    return resolver.resolve4('nobody.example').then(() => true, (error: NodeJS.ErrnoException) => error.code === 'ENOTFOUND')
  })
  return { port, hang: server.hang, stop: server.stop }
}
