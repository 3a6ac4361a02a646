import type { Client } from '#api/client.ts'
import { noLatestRun } from '#model/latest-run.ts'
import type { RunSelection } from '#model/latest-run.ts'

/** The id of the run that a person names. `latest` is the newest of all or of those that `only` tells, in the environment and of the module that are named. Failures `run-unknown`, `run-ended`, `run-not-waiting`. */
export async function runId(client: Client, named: string, { env, module }: { readonly env?: string; readonly module?: string }, only?: RunSelection): Promise<string> {
  if (named !== 'latest') return named
  const { runs } = await client.runs({ environment: env, module, only, limit: 1 })
  const [run] = runs
  if (run !== undefined) return run.id
  throw noLatestRun(only, `${module === undefined ? '' : ` of ${module}`}${env === undefined ? '' : ` in ${env}`}`)
}
