import { resolve } from 'node:path'
import type { AddCommands } from '#cli/program.ts'
import { portOption } from './port-option.ts'
import { stopRequested } from './stop-signal.ts'

type Options = { dir?: string; port: number; once?: boolean; json?: boolean }

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
        const stop = stopRequested(around.now)
        const { runPlayground } = await import('./run-playground.ts')
        const dir = resolve(around.cwd, options.dir ?? around.env.dir ?? '.plumb')
        exit(await runPlayground({ dir, port: options.port, once: options.once === true, json: options.json === true, env, stop }, around))
      })
  }
}
