import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { isLoopback } from '#cli/connect.ts'
import type { AddCommands } from '#cli/program.ts'
import { logTo } from '#cli/surroundings.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import type { startControlPlane } from './control-plane.ts'
import { portOption } from './port-option.ts'
import { stopRequested, stopped } from './stop-signal.ts'

type Options = { workspace: string; branch: string; dir?: string; kubeconfig?: string; host: string; port: number; json?: boolean }

/**
 * `plumb up`: the control plane on a real workspace. `untilStopped`: who asks the process to end; in a test's process nobody, which must not lose its own signals
 * and channel to this.
 */
export function upCommand(env: Readonly<Record<string, string | undefined>>, untilStopped: typeof stopRequested = stopRequested): AddCommands {
  return (program, around) => {
    program
      .command('up')
      .description('start the control plane on a workspace; DATABASE_URL puts it on a PostgreSQL server, OTEL_EXPORTER_OTLP_ENDPOINT sends traces of runs')
      .requiredOption('--workspace <git>', 'the path or Git URL of the repository that has plumbline.yaml')
      .option('--branch <name>', 'its branch', 'main')
      .option('--dir <folder>', 'where keys, mirrors and the embedded store are kept (PLUMB_DIR; .plumb)')
      .option('--kubeconfig <file>', 'the kubeconfig whose contexts targets name (KUBECONFIG, which may list several; ~/.kube/config)')
      .option('--host <address>', 'the address to listen on', '127.0.0.1')
      .option('--port <port>', 'the port to listen on; 0 takes any', portOption, 8811)
      .option('--json', 'print JSON')
      .action(async (options: Options) => {
        const kubeconfig = kubeconfigs(options.kubeconfig, env['KUBECONFIG']).map((file) => resolve(around.cwd, file))
        expectReadable(kubeconfig, around)
        if (!isLoopback(options.host)) around.note(`It serves plain HTTP at ${options.host}: whoever listens in on that network reads tokens. Let others reach it through a proxy with TLS.`)
        const stop = untilStopped(around.now)
        const dir = resolve(around.cwd, options.dir ?? around.env.dir ?? '.plumb')
        const [{ startControlPlane: start }, { systemClock }, { tryListening }] = await Promise.all([import('./control-plane.ts'), import('#lib/clock.ts'), import('#api/server.ts')])
        // Before anything is made. A folder that is there may be in use already, which says more than its port.
        if (options.port !== 0 && !existsSync(dir)) await tryListening(options.host, options.port)
        const isUrl = /^[a-z+]+:\/\/|^[\w.-]+@[\w.-]+:/.test(options.workspace)
        const databaseUrl = env['DATABASE_URL']
        const plane = await start({
          dir,
          ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
          workspace: { url: isUrl ? options.workspace : resolve(around.cwd, options.workspace), branch: options.branch },
          kubeconfig,
          host: options.host,
          port: options.port,
          clock: systemClock,
          env,
          ...tracesOf(env),
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

/** As kubectl looks for them: the one that is named, or all that KUBECONFIG lists. */
function kubeconfigs(named: string | undefined, listed = ''): string[] {
  if (named !== undefined && named !== '') return [named]
  const files = listed.split(delimiter).filter((file) => file !== '')
  return files.length > 0 ? files : [join(homedir(), '.kube', 'config')]
}

/** A control plane without its clusters would only say so run by run. */
function expectReadable(kubeconfig: readonly string[], around: Surroundings): void {
  if (kubeconfig.some((file) => around.readFile(file) !== undefined)) return
  throw new Failure({ code: 'kubeconfig-invalid', subject: kubeconfig.join(', '), message: 'there is no such file, or it cannot be read', hint: 'Name the kubeconfig whose contexts the targets name: --kubeconfig FILE, or KUBECONFIG, which may list several.' })
}

/** Where traces go, by OpenTelemetry’s own variables: the base of a collector’s OTLP over HTTP, and headers as `name=value,…`, percent-encoded. Failure `usage`. */
export function tracesOf(env: Readonly<Record<string, string | undefined>>): Pick<Parameters<typeof startControlPlane>[0], 'traces'> {
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (base === undefined || base === '') return {}
  const wrong = (what: string): Failure => new Failure({ code: 'usage', subject: 'the environment', message: `${what} cannot be read`, hint: 'OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 OTEL_EXPORTER_OTLP_HEADERS=name=value' })
  if (!/^https?:\/\/[^\s@]+$/.test(base) || !URL.canParse(base)) throw wrong('OTEL_EXPORTER_OTLP_ENDPOINT')
  const pairs = (env['OTEL_EXPORTER_OTLP_HEADERS'] ?? '').split(',').filter((pair) => pair.trim() !== '')
  const headers = pairs.map((pair): [string, string] => {
    const [, name, value] = /^\s*([\w-]+)\s*=\s*(\S*)\s*$/.exec(pair) ?? []
    if (name === undefined || value === undefined) throw wrong('OTEL_EXPORTER_OTLP_HEADERS')
    try {
      return [name, decodeURIComponent(value)]
    } catch {
      throw wrong('OTEL_EXPORTER_OTLP_HEADERS')
    }
  })
  return { traces: { url: `${base.replace(/\/$/, '')}/v1/traces`, headers: Object.fromEntries(headers) } }
}
