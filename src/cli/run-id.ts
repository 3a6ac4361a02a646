import type { Client } from '#api/client.ts'
import { Failure } from '#lib/failure.ts'

/** The id of the run that a person names: `latest` may be narrowed to an environment and a module. Failure `run-unknown`. */
export async function runId(client: Client, named: string, options: { readonly env?: string; readonly module?: string }): Promise<string> {
  if (named !== 'latest' || (options.env === undefined && options.module === undefined)) return named
  const { runs } = await client.runs({ environment: options.env, module: options.module, limit: 1 })
  const [run] = runs
  if (run !== undefined) return run.id
  throw new Failure({
    code: 'run-unknown',
    subject: 'run latest',
    message: `there is no run${options.module === undefined ? '' : ` of ${options.module}`}${options.env === undefined ? '' : ` in ${options.env}`} yet`,
    hint: 'List them: plumb runs',
  })
}
