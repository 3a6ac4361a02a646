import type { Command } from 'commander'
import { Failure } from '#lib/failure.ts'
import { connect } from '../connect.ts'
import { common } from '../options.ts'
import type { Exit } from '../program.ts'
import { runId } from '../run-id.ts'
import type { Surroundings } from '../surroundings.ts'
import { following, needed, waiting } from './following.ts'
import type { Asking } from './following.ts'

type Word = Asking & { reason: string }

/** Going back, and holding a module where it is. */
export function pinCommands(program: Command, around: Surroundings, exit: Exit): void {
  const follow = following(around, exit)
  const asking = (command: Command): Command =>
    waiting(common(command).option('-e, --env <environment>', 'the environment').requiredOption('--reason <text>', 'why').option('--ticket <id>', 'the ticket that it belongs to'))
  const word = (options: Word): { reason: string; ticket: string | null } => ({ reason: options.reason, ticket: options.ticket ?? null })
  const said = (options: Word, answer: object, text: string): void => around.print(options.json === true ? JSON.stringify(answer) : text)

  asking(program.command('rollback').description('go back to what was delivered and verified last, and stay there until Git says something else').argument('<module|run>', 'a module; or a run (its id, the end of it, or latest: the newest that changed something), for all that it changed')).action(
    async (name: string, options: Word) => {
      const connection = connect(options, around)
      const isRun = name === 'latest' || name.startsWith('run-')
      const of = isRun ? await connection.client.show(await runId(connection.client, name, options, 'begun')) : undefined
      const environment = options.env ?? of?.environment ?? needed(options, 'rollback')
      const { run } = await connection.client.rollback(environment, { ...(of === undefined ? { module: name } : { run: of.id }), ...word(options) })
      if (run !== null) return follow(connection, run, options)
      said(options, { run }, `All of ${name} is there already, and is held there.`)
    },
  )

  asking(program.command('pin').description('hold a module at what was delivered once, whatever Git says, until --lift').argument('<module>'))
    .option('--to <run|snapshot>', 'the run that delivered it, or its snapshot; where it is now, if left out')
    .option('--lift', 'hold it no longer')
    .action(async (module: string, options: Word & { to?: string; lift?: boolean }) => {
      const connection = connect(options, around)
      const environment = needed(options, 'pin')
      if (options.lift === true) {
        if (options.to !== undefined) throw new Failure({ code: 'usage', subject: 'plumb pin', message: 'it is either --to or --lift', hint: `plumb pin ${module} -e ${environment} --lift --reason WHY` })
        const { done } = await connection.client.unpin(environment, { module, ...word(options) })
        return said(options, { done }, done ? `${module} follows Git again in ${environment}.` : `${module} was not held in ${environment}.`)
      }
      const { run } = await connection.client.pin(environment, { module, to: options.to ?? null, ...word(options) })
      if (run !== null) return follow(connection, run, options)
      said(options, { run }, `${module} is held in ${environment} where it is.`)
    })
}
