import type { Command } from 'commander'
import { Failure } from '#lib/failure.ts'
import { connect } from '../connect.ts'
import type { Connection } from '../connect.ts'
import { common } from '../options.ts'
import type { Common } from '../options.ts'
import { printOperations } from '../print/operations.ts'
import type { Exit } from '../program.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'
import { following, waiting } from './following.ts'
import type { Asking } from './following.ts'

/** Named runs without a new snapshot. */
export function operateCommands(program: Command, around: Surroundings, exit: Exit): void {
  const follow = following(around, exit)

  waiting(common(program.command('operate').description('carry out an operation: its steps, one after the other, each recorded').argument('<operation>')).option('-e, --env <environment>', 'the environment; the operation’s own, where it has one'))
    .requiredOption('--reason <text>', 'why')
    .option('--ticket <id>', 'the ticket that it belongs to')
    .option('--from <step>', 'begin with this step: after one that stopped in the middle, say where to go on')
    .action(async (name: string, options: Asking & { reason: string; from?: string }) => {
      const connection = connect(options, around)
      const environment = options.env ?? (await onlyEnvironment(connection, name))
      const { run } = await connection.client.operate(environment, name, { from: options.from ?? null, reason: options.reason, ticket: options.ticket ?? null })
      if (run !== null) await follow(connection, run, options)
    })

  common(program.command('operations').description('the operations that there are, and when they are due')).option('-e, --env <environment>', 'one environment').action(async (options: Common) => {
    const answer = await connect(options, around).client.operations({ environment: options.env })
    if (options.json === true) around.print(JSON.stringify(answer, null, 2))
    else for (const line of printOperations(answer.operations, lookOf(around))) around.print(line)
  })
}

async function onlyEnvironment({ client }: Connection, name: string): Promise<string> {
  const environments = (await client.operations({})).operations.flatMap((one) => (one.name === name ? [one.environment] : []))
  const [only, second] = environments
  if (only !== undefined && second === undefined) return only
  throw new Failure({
    code: only === undefined ? 'operation-unknown' : 'usage',
    subject: `operation ${name}`,
    message: only === undefined ? 'there is no such operation, or none that you may look at' : `it is for several environments: ${environments.join(', ')}`,
    hint: only === undefined ? 'List them: plumb operations' : `plumb operate ${name} -e ENVIRONMENT --reason WHY`,
  })
}
