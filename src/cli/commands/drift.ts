import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { Finding } from '#api/client.ts'
import { Failure } from '#lib/failure.ts'
import { connect } from '../connect.ts'
import { common, durationOption, narrowed } from '../options.ts'
import type { Common } from '../options.ts'
import { printFields } from '../print/fields.ts'
import { isBlind, printDrift, printFinding, withdrawnLines } from '../print/drift.ts'
import type { Exit } from '../program.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'

/** What was found to differ from what was declared, and what is decided on it. */
export function driftCommands(program: Command, around: Surroundings, exit: Exit): void {
  const answer = (options: Common, value: unknown, lines: () => string[]): void => {
    if (options.json === true) around.print(JSON.stringify(value, null, 2))
    else for (const line of lines()) around.print(line)
  }

  const drift = narrowed(program.command('drift').description('what was declared and somebody changed, the most serious first; ends with 1 where something waits for a decision, and with 4 where it is not known'))
    .option('--resolved', 'those that are resolved too')
    .action(async (options: Common & { resolved?: true }) => {
      const { client } = connect(options, around)
      const found = await client.findings({ environment: options.env, module: options.module, resolved: options.resolved === true ? 'with' : 'without' })
      answer(options, found, () => printDrift(found, lookOf(around)))
      if (found.failure !== null || found.watches.some(isBlind)) exit(4)
      else if (found.waiting > 0) exit(1)
    })

  narrowed(drift.command('fields').description('the fields of a module that are no drift: what others rightly move, and what was never declared')).action(async (_: unknown, command: Command) => {
    const options: Common = command.optsWithGlobals()
    if (options.env === undefined || options.module === undefined) throw new Failure({ code: 'usage', subject: 'plumb drift fields', message: 'it needs an environment and a module', hint: 'plumb drift fields -e ENVIRONMENT -m MODULE' })
    const found = await connect(options, around).client.fields(options.env, { module: options.module })
    answer(options, found, () => printFields(found, lookOf(around)))
    if (found.objects.some(({ failure }) => failure !== null)) exit(4)
  })

  common(drift.command('show').description('one finding: what differs, who made it so, since when, where it is declared, and what became of it').argument('<finding>', 'its id, or the end of it')).action(async (id: string, _: unknown, command: Command) => {
    const options: Common = command.optsWithGlobals()
    const found = await connect(options, around).client.finding(id)
    answer(options, found, () => printFinding(found, lookOf(around)))
  })

  common(program.command('accept').description('let a drift stay as it is now, for a reason and for a time').argument('<finding>', 'its id, or the end of it'))
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--until <when>', 'when it comes back: a duration (2d) or a time (2027-01-31T12:00:00Z)', untilOption(around))
    .action(async (id: string, options: Common & { reason: string; until: string }) => {
      const { client } = connect(options, around)
      await client.accept(id, { reason: options.reason, until: options.until })
      const { finding, history } = await client.finding(id)
      answer(options, finding, () => [accepted(finding), ...withdrawnLines(history)])
    })
}

function accepted({ id, accepted: acceptance }: Finding): string {
  return `${id} is accepted until ${acceptance?.until ?? 'now'}.`
}

function untilOption(around: Surroundings): (text: string) => string {
  return (text) => {
    if (/^\d+(ms|s|m|h|d)/.test(text)) return new Date(around.now() + durationOption(text)).toISOString()
    const at = Date.parse(text)
    if (Number.isNaN(at)) throw new InvalidArgumentError('expected a duration such as 2d, or a time such as 2027-01-31T12:00:00Z')
    return new Date(at).toISOString()
  }
}
