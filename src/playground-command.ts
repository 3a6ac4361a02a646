import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { makeClient } from '#api/client.ts'
import type { StatusAnswer } from '#api/client.ts'
import { connect } from '#cli/connect.ts'
import type { Connection } from '#cli/connect.ts'
import { changes } from '#cli/follow.ts'
import { printStatus } from '#cli/print/status.ts'
import { progress } from '#cli/progress.ts'
import type { AddCommands } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { systemClock } from '#lib/clock.ts'
import { startPlayground } from '#playground/playground.ts'
import { ensurePrincipal } from './bootstrap.ts'
import { startControlPlane } from './control-plane.ts'
import { portOption } from './port-option.ts'
import { stopRequested } from './stop-signal.ts'

type Options = { dir?: string; port: number; once?: boolean; json?: boolean; timeout: number }

/** `plumb playground`: clusters, repositories and the control plane on one machine, with nothing to install. */
export function playgroundCommand(env: Readonly<Record<string, string | undefined>>): AddCommands {
  return (program, around, exit) => {
    program
      .command('playground')
      .description('an example organisation on embedded clusters: delivered, verified, recorded')
      .option('--dir <folder>', 'where everything is kept (PLUMB_DIR; .plumb)')
      .option('--port <port>', 'the port of the control plane; 0 takes any', portOption, 8811)
      .option('--once', 'exit when every environment is delivered and verified, or is not')
      .option('--json', 'print JSON')
      .action(async (options: Options) => {
        const stop = stopRequested()
        const dir = resolve(around.cwd, options.dir ?? around.env.dir ?? '.plumb')
        const quiet: Surroundings = options.json === true ? { ...around, note: () => {} } : around
        quiet.note(`Starting three embedded clusters, three Git repositories and the control plane in ${relative(around.cwd, dir) || dir} …`)
        const playground = await startPlayground({ dir, clock: systemClock, log: quiet.note, searchPath: env['PATH'] ?? '' })
        try {
          const plane = await startControlPlane({
            dir,
            workspace: { url: playground.repositories['platform'] ?? '', branch: 'main' },
            kubeconfig: playground.kubeconfig,
            host: '127.0.0.1',
            port: options.port,
            clock: systemClock,
            env: { ...env, PLUMB_SECRET_FOLDERS: [...(env['PLUMB_SECRET_FOLDERS']?.split(':') ?? []), playground.credentials].join(':') },
            log: quiet.note,
          })
          try {
            await writeFile(join(dir, 'notify.json'), `${JSON.stringify({ url: `${plane.url}/v1/webhooks`, secret: plane.webhookSecret })}\n`, { mode: 0o600 })
            await ensurePrincipal(plane.parts.sql, 'playground', 'admin', [], join(dir, 'token.playground'), Date.now())
            const connection = connect({ dir, tokenFile: join(dir, 'token.playground') }, around)
            const status = await firstDelivery(connection, quiet, AbortSignal.any([AbortSignal.timeout(300_000), aborted(stop)]))
            const good = isDone(status)
            if (options.json === true) around.print(JSON.stringify(status, null, 2))
            else for (const line of ['', ...printStatus(status, { colours: around.colours, width: around.width, now: Date.now() }), '']) around.print(line)
            exit(good ? 0 : 1)
            if (options.once !== true) {
              if (options.json !== true) for (const line of next(dir, around.cwd)) around.print(line)
              await stop
              exit(0)
              quiet.note('Stopping…')
            }
          } finally {
            await plane.stop()
          }
        } finally {
          await playground.stop()
        }
      })
  }
}

function aborted(stop: Promise<void>): AbortSignal {
  const controller = new AbortController()
  void stop.then(() => controller.abort())
  return controller.signal
}

/** Follows the first deliveries to their end, and gives production's first run the approval that it waits for. */
async function firstDelivery(connection: Connection, around: Surroundings, signal: AbortSignal): Promise<StatusAnswer> {
  const show = progress(around)
  const approved = new Set<string>()
  let status = await connection.client.status()
  for await (const _ of changes(connection, signal)) {
    const { runs } = await connection.client.runs({ limit: 20 })
    for (const run of runs.toReversed()) show(run)
    for (const run of runs) {
      const first = !runs.some((other) => other.environment === run.environment && other.record !== null)
      const waits = run.state === 'waiting' && run.waiting.length > 0 && run.waiting.every((one) => one.waitingFor === 'approval')
      if (!first || !waits || approved.has(`${run.id} ${run.plan?.digest}`)) continue
      approved.add(`${run.id} ${run.plan?.digest}`)
      around.note(`Approving ${run.id}, the first run of ${run.environment}, as the user playground; later ones wait for plumb approve.`)
      await connection.client.approve(run.id, { reason: 'the first delivery of the playground', objects: [] })
    }
    status = await connection.client.status()
    if (isDone(status) || isStuck(status, runs)) return status
  }
  return status
}

/** Every environment is delivered and verified. */
function isDone(status: StatusAnswer): boolean {
  return (
    status.environments.length > 0 &&
    status.environments.every(
      ({ modules }) => modules.length > 0 && modules.every((one) => one.delivery === 'synced' && (one.verification === 'passed' || one.verification === 'warned')),
    )
  )
}

/** Something failed, and nothing is under way that could mend it. */
function isStuck(status: StatusAnswer, runs: Awaited<ReturnType<ReturnType<typeof makeClient>['runs']>>['runs']): boolean {
  const failed = runs.some((run) => run.state === 'failed') || status.problems.length > 0
  return failed && runs.every((run) => run.endedAt !== null || run.state === 'waiting')
}

function next(dir: string, cwd: string): string[] {
  const shown = relative(cwd, dir) || dir
  const at = shown === '.plumb' ? '' : ` --dir ${shown}`
  return [
    'It stays up until Ctrl-C. In another terminal, try:',
    `  bin/plumb show latest${at}`,
    `  git clone ${join(shown, 'git', 'storefront.git')} && cd storefront   # change deploy/sandbox, commit, push`,
    `  bin/plumb status --watch${at}`,
    `  kubectl --kubeconfig ${join(shown, 'kubeconfig')} --context staging get pods -A`,
  ]
}
