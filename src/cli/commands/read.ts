import type { Command } from 'commander'
import type { PlanAnswer } from '#api/client.ts'
import { connect } from '../connect.ts'
import { changes } from '../follow.ts'
import { common, countOption, narrowed } from '../options.ts'
import type { Common } from '../options.ts'
import { printPlan } from '../print/plan.ts'
import { printRun, printRuns } from '../print/run.ts'
import { printStatus } from '../print/status.ts'
import type { Exit } from '../program.ts'
import type { Surroundings } from '../surroundings.ts'

/** What only looks. */
export function readCommands(program: Command, around: Surroundings, exit: Exit): void {
  const answer = (options: Common, value: unknown, lines: () => string[]): void => {
    if (options.json === true) around.print(JSON.stringify(value, null, 2))
    else for (const line of lines()) around.print(line)
  }
  const look = { colours: around.colours, width: around.width }

  narrowed(program.command('status').description('every module in every environment: delivered? verified?'))
    .option('-w, --watch', 'go on, and print again when something changes')
    .action(async (options: Common & { watch?: boolean }) => {
      const connection = connect(options, around)
      const print = async (): Promise<void> => {
        const status = narrowStatus(await connection.client.status(), options)
        answer(options, status, () => printStatus(status, { ...look, now: around.now() }))
      }
      if (options.watch !== true) return print()
      let last = ''
      for await (const _ of changes(connection, new AbortController().signal)) {
        const status = narrowStatus(await connection.client.status(), options)
        const text = JSON.stringify(status.environments)
        if (text === last) continue
        last = text
        answer(options, status, () => [...printStatus(status, { ...look, now: around.now() }), ''])
      }
    })

  narrowed(program.command('runs').description('runs, the newest first'))
    .option('-n, --limit <count>', 'how many, 200 at most', countOption, 20)
    .action(async (options: Common & { limit: number }) => {
      const { runs } = await connect(options, around).client.runs({ environment: options.env, module: options.module, limit: options.limit })
      answer(options, { runs }, () => printRuns(runs, { ...look, now: around.now() }))
    })

  common(program.command('show').description('one run: who, why, what would change, what did, what the probes saw').argument('<run>', 'its id, the end of it, or latest')).action(
    async (id: string, options: Common) => {
      const run = await connect(options, around).client.show(id)
      answer(options, run, () => printRun(run, look))
    },
  )

  narrowed(program.command('plan').description('what a delivery would do now; changes nothing')).action(async (options: Common) => {
    const { client } = connect(options, around)
    const environments = options.env === undefined ? (await client.status()).environments.map((one) => one.name) : [options.env]
    const plans: PlanAnswer[] = []
    for (const environment of environments) plans.push(await client.plan(environment, options.module === undefined ? {} : { modules: [options.module] }))
    answer(options, options.env === undefined ? { plans } : plans[0], () => plans.flatMap((plan) => [...printPlan(plan, look), '']))
    if (plans.some((plan) => plan.unknown.length > 0)) exit(4)
    else if (plans.some((plan) => plan.outcome === 'refuse')) exit(1)
  })
}

type Status = Awaited<ReturnType<ReturnType<typeof connect>['client']['status']>>

function narrowStatus(status: Status, options: Common): Status {
  const environments = status.environments
    .filter((one) => options.env === undefined || one.name === options.env)
    .map((one) => ({ ...one, modules: one.modules.filter((module) => options.module === undefined || module.name === options.module) }))
  return { ...status, environments }
}
