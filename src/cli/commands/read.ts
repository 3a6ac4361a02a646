import type { Command } from 'commander'
import type { PlanAnswer, Status } from '#api/client.ts'
import { Failure } from '#lib/failure.ts'
import { didYouMean } from '#lib/nearest.ts'
import { connect } from '../connect.ts'
import { changes } from '../follow.ts'
import { countOption, narrowed } from '../options.ts'
import type { Common } from '../options.ts'
import { printPlan } from '../print/plan.ts'
import { printRun, printRuns } from '../print/run.ts'
import { printStatus } from '../print/status.ts'
import type { Exit } from '../program.ts'
import { runId } from '../run-id.ts'
import { exitOfStatus } from '../status-exit.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'

/** What only looks. */
export function readCommands(program: Command, around: Surroundings, exit: Exit): void {
  const answer = (options: Common, value: unknown, lines: () => string[]): void => {
    if (options.json === true) around.print(JSON.stringify(value, null, 2))
    else for (const line of lines()) around.print(line)
  }

  narrowed(program.command('status').description('every module in every environment: delivered? verified?'))
    .option('-w, --watch', 'go on, and print again when something changes')
    .action(async (options: Common & { watch?: boolean }) => {
      const connection = connect(options, around)
      const print = async (): Promise<void> => {
        const status = narrow(await connection.client.status(), options)
        answer(options, status, () => printStatus(status, lookOf(around)))
        exit(exitOfStatus(status))
      }
      if (options.watch !== true) return print()
      let last = ''
      for await (const _ of changes(connection, new AbortController().signal)) {
        const status = narrow(await connection.client.status(), options)
        const text = JSON.stringify([status.environments, status.problems, status.repositories.map(({ checkedAt: _at, ...rest }) => rest)])
        if (text === last) continue
        if (last !== '' && options.json !== true) around.print('')
        last = text
        answer(options, status, () => printStatus(status, lookOf(around)))
      }
    })

  narrowed(program.command('runs').description('runs, the newest first'))
    .option('-n, --limit <count>', 'how many, 200 at most', countOption, 20)
    .action(async (options: Common & { limit: number }) => {
      const { runs } = await connect(options, around).client.runs({ environment: options.env, module: options.module, limit: options.limit })
      answer(options, { runs }, () => printRuns(runs, lookOf(around)))
    })

  narrowed(program.command('show').description('one run: who, why, what would change, what did, what the probes saw').argument('<run>', 'its id, the end of it, or latest')).action(
    async (id: string, options: Common) => {
      const { client } = connect(options, around)
      const run = await client.show(await runId(client, id, options))
      answer(options, run, () => printRun(run, lookOf(around)))
    },
  )

  narrowed(program.command('plan').description('what a delivery would do now; changes nothing')).action(async (options: Common) => {
    const { client } = connect(options, around)
    const environments = options.env === undefined ? (await client.status()).environments.map((one) => one.name) : [options.env]
    const plans: PlanAnswer[] = []
    for (const environment of environments) plans.push(await client.plan(environment, options.module === undefined ? {} : { modules: [options.module] }))
    answer(options, { plans }, () => plans.flatMap((plan, at) => [...(at === 0 ? [] : ['']), ...printPlan(plan, lookOf(around))]))
    if (plans.some((plan) => plan.unknown.length > 0)) exit(4)
    else if (plans.some((plan) => plan.outcome === 'refuse')) exit(1)
  })
}

/** What was asked for alone. A name that there is not is told, not answered with nothing. */
function narrow(status: Status, options: Common): Status {
  const names = status.environments.map((one) => one.name)
  if (options.env !== undefined && !names.includes(options.env)) throw unknown('environment', options.env, names)
  const environments = status.environments.filter((one) => options.env === undefined || one.name === options.env)
  const modules = environments.flatMap((one) => one.modules.map((module) => module.name))
  if (options.module !== undefined && !modules.includes(options.module)) throw unknown('module', options.module, [...new Set(modules)])
  return { ...status, environments: environments.map((one) => ({ ...one, modules: one.modules.filter((module) => options.module === undefined || module.name === options.module) })) }
}

function unknown(what: 'environment' | 'module', name: string, known: readonly string[]): Failure {
  return new Failure({
    code: `${what}-unknown`,
    subject: `${what} ${name}`,
    message: `there is no such ${what}${what === 'module' ? ' there' : ''}, or none that you may look at`,
    hint: didYouMean(name, known).hint ?? `There are: ${known.join(', ') || 'none'}.`,
  })
}
