import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { AddCommands } from '#cli/program.ts'
import { logTo } from '#cli/surroundings.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import { portOption } from './port-option.ts'
import { stopRequested, stopped } from './stop-signal.ts'

type Options = { workspace: string; branch: string; dir?: string; kubeconfig?: string; host: string; port: number; json?: boolean }

/** `plumb up`: the control plane on a real workspace. */
export function upCommand(env: Readonly<Record<string, string | undefined>>): AddCommands {
  return (program, around) => {
    program
      .command('up')
      .description('start the control plane on a workspace; DATABASE_URL puts it on a PostgreSQL server')
      .requiredOption('--workspace <git>', 'the path or Git URL of the repository that has plumbline.yaml')
      .option('--branch <name>', 'its branch', 'main')
      .option('--dir <folder>', 'where keys, mirrors and the embedded store are kept (PLUMB_DIR; .plumb)')
      .option('--kubeconfig <file>', 'the kubeconfig whose contexts targets name (KUBECONFIG; ~/.kube/config)')
      .option('--host <address>', 'the address to listen on', '127.0.0.1')
      .option('--port <port>', 'the port to listen on; 0 takes any', portOption, 8811)
      .option('--json', 'print JSON')
      .action(async (options: Options) => {
        const kubeconfig = resolve(around.cwd, options.kubeconfig || env['KUBECONFIG'] || join(homedir(), '.kube', 'config'))
        expectReadable(kubeconfig, around)
        const stop = stopRequested(around.now)
        const [{ startControlPlane }, { systemClock }] = await Promise.all([import('./control-plane.ts'), import('#lib/clock.ts')])
        const isUrl = /^[a-z+]+:\/\/|^[\w.-]+@[\w.-]+:/.test(options.workspace)
        const databaseUrl = env['DATABASE_URL']
        const plane = await startControlPlane({
          dir: resolve(around.cwd, options.dir ?? around.env.dir ?? '.plumb'),
          ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
          workspace: { url: isUrl ? options.workspace : resolve(around.cwd, options.workspace), branch: options.branch },
          kubeconfig,
          host: options.host,
          port: options.port,
          clock: systemClock,
          env,
          log: logTo(around),
        })
        if (options.json === true) around.print(JSON.stringify({ url: plane.url }))
        else around.print(`Plumbline listens on ${plane.url}. In another terminal: plumb status`)
        await stopped(stop)
        around.note('Stopping …')
        await plane.stop()
      })
  }
}

/** A control plane without its clusters would only say so run by run. */
function expectReadable(kubeconfig: string, around: Surroundings): void {
  if (around.readFile(kubeconfig) !== undefined) return
  throw new Failure({ code: 'kubeconfig-invalid', subject: kubeconfig, message: 'there is no such file, or it cannot be read', hint: 'Name the one kubeconfig file whose contexts the targets name: --kubeconfig FILE, or KUBECONFIG.' })
}
