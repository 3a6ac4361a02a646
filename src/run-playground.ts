import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tryListening } from '#api/server.ts'
import { connect } from '#cli/connect.ts'
import { printStatus } from '#cli/print/status.ts'
import type { ExitCode } from '#cli/program.ts'
import { logTo, lookOf } from '#cli/surroundings.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { systemClock } from '#lib/clock.ts'
import { startPlayground } from '#playground/playground.ts'
import type { Playground } from '#playground/playground.ts'
import { ensurePrincipal } from './bootstrap.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { firstDelivery, isDone } from './first-delivery.ts'
import { stopped } from './stop-signal.ts'
import { shown, whatToTry } from './what-to-try.ts'

export type PlaygroundRun = {
  readonly dir: string
  readonly port: number
  /** Come back when the first deliveries have ended. */
  readonly once: boolean
  readonly json: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stop: AbortSignal
}

/** How long the first deliveries may take. */
const patienceMs = 300_000

/**
 * Starts everything, delivers the example, shows how it stands, and stays until it is told to stop. Whatever was started is stopped again, in the
 * opposite order, however it ends. 4: it was stopped before it was known how the deliveries end.
 */
export async function runPlayground(run: PlaygroundRun, around: Surroundings): Promise<ExitCode> {
  const { dir, env, stop } = run
  // Before anything is made. A folder that is there may be running already, which says more than its port.
  if (run.port !== 0 && !existsSync(dir)) await tryListening('127.0.0.1', run.port)
  const quiet: Surroundings = run.json ? { ...around, note: () => {} } : around
  quiet.note(`Starting three embedded clusters, three Git repositories and the control plane in ${shown(dir, around.cwd)} …`)
  const opened: (() => Promise<void>)[] = []
  try {
    const playground = await startPlayground({ dir, clock: systemClock, log: logTo(quiet), searchPath: env['PATH'] ?? '' })
    opened.push(() => playground.stop())
    if (stop.aborted) return 4
    quiet.note('The clusters and the repositories are there; the control plane starts …')
    const plane = await startControlPlane({
      dir,
      workspace: { url: playground.repositories['platform'] ?? '', branch: 'main' },
      kubeconfig: playground.kubeconfig,
      host: '127.0.0.1',
      port: run.port,
      clock: systemClock,
      env: { ...env, PLUMB_SECRET_FOLDERS: [...(env['PLUMB_SECRET_FOLDERS']?.split(':') ?? []), playground.credentials].join(':') },
      log: logTo(quiet),
    })
    opened.push(() => plane.stop())
    if (stop.aborted) return 4
    quiet.note('It is up, reads the repositories and plans …')
    return await deliverAndStay(run, playground, plane, quiet)
  } finally {
    if (stop.aborted) quiet.note('Stopping …')
    for (const close of opened.toReversed()) await close()
  }
}

/** The user who approves production's first run, and people of the example organisation: each has a token in `token.<name>`, to be them with `--token-file`. */
const people = [
  { name: 'playground', role: 'admin', emails: [] },
  { name: 'noor', role: 'operator', emails: ['noor@platform.example'] },
  { name: 'ivo', role: 'approver', emails: ['ivo@platform.example'] },
  { name: 'ada', role: 'developer', emails: ['ada@orders.example'] },
  { name: 'lea', role: 'developer', emails: ['lea@storefront.example'] },
] as const

async function deliverAndStay(run: PlaygroundRun, playground: Playground, plane: ControlPlane, around: Surroundings): Promise<ExitCode> {
  const { dir, stop } = run
  await writeFile(playground.notify, `${JSON.stringify({ url: `${plane.url}/v1/webhooks`, secret: plane.webhookSecret })}\n`, { mode: 0o600 })
  for (const { name, role, emails } of people) await ensurePrincipal(plane.parts.sql, name, role, emails, join(dir, `token.${name}`), systemClock.now())
  // Its own control plane, whatever PLUMB_SERVER and PLUMB_TOKEN say.
  const connection = connect({ dir, tokenFile: join(dir, 'token.playground') }, { ...around, env: {} })
  const status = await firstDelivery(connection, around, AbortSignal.any([AbortSignal.timeout(patienceMs), stop]))
  if (stop.aborted) return 4
  if (run.json) around.print(JSON.stringify(status, null, 2))
  else for (const line of ['', ...printStatus(status, lookOf(around)), '']) around.print(line)
  const code = isDone(status) ? 0 : 1
  if (run.once) return code
  const storefront = playground.repositories['storefront'] ?? ''
  if (!run.json) for (const line of await whatToTry({ dir, cwd: around.cwd, storefront, url: plane.url, searchPath: run.env['PATH'] ?? '' })) around.print(line)
  await stopped(stop)
  return 0
}
