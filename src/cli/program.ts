import { Command, CommanderError } from 'commander'
import { Failure, asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import { didYouMean } from '#lib/nearest.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import { adoptCommand } from './commands/adopt.ts'
import { driftCommands } from './commands/drift.ts'
import { operateCommands } from './commands/operate.ts'
import { pinCommands } from './commands/pin.ts'
import { readCommands } from './commands/read.ts'
import { timelineCommand } from './commands/timeline.ts'
import { tokenCommands } from './commands/token.ts'
import { writeCommands } from './commands/write.ts'
import { yieldCommand } from './commands/yield.ts'
import { failureLines } from './print/failure.ts'
import { problemLines } from './print/problem.ts'
import { painter } from './print/table.ts'
import { lookOf } from './surroundings.ts'
import type { Surroundings } from './surroundings.ts'

/** What a command ends with: 0 as wished; 1 failed or refused; 2 usage or configuration; 3 waits for a person; 4 unknown. */
export type ExitCode = 0 | 1 | 2 | 3 | 4

/** How a command tells its exit code: the last one told counts. */
export type Exit = (code: ExitCode) => void

/** Adds commands to the program. */
export type AddCommands = (program: Command, around: Surroundings, exit: Exit) => void

/**
 * Runs one `plumb` command line. `local` adds what needs no running control plane, or starts one. Never throws: what goes wrong is printed, as JSON
 * where `--json` was asked for, and becomes the exit code.
 */
export async function runCommandLine(argv: readonly string[], around: Surroundings, local: readonly AddCommands[]): Promise<ExitCode> {
  let code: ExitCode = 0
  const exit: Exit = (told) => (code = told)
  const program = plumb(around, exit, local)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0 && argv.includes('--json')) printFailure(new Failure({ code: 'usage', subject: 'plumb', message: error.message.replace(/^error: /, ''), hint: 'plumb --help lists the commands and what they take.' }), around, 'as JSON')
      return error.exitCode === 0 ? 0 : 2
    }
    const failure = asFailure(error, 'plumb')
    printFailure(failure, around, argv.includes('--json') ? 'as JSON' : 'as text')
    return errors[failure.code as ErrorCode]?.exit ?? 1
  }
}

/** The whole command, for its help and its reference page too. */
export function plumb(around: Surroundings, exit: Exit, local: readonly AddCommands[]): Command {
  const program = new Command('plumb')
    .description('Git says what should be. Plumbline makes it so, proves that it works, and keeps the proof.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => around.print(text.trimEnd()), writeErr: (text) => around.note(text.trimEnd()) })
  for (const add of [...local, readCommands, driftCommands, adoptCommand, yieldCommand, timelineCommand, writeCommands, pinCommands, operateCommands, tokenCommands]) add(program, around, exit)
  pointAtOwnHelp(program, 'plumb')
  const verbs = program.commands.map((command) => command.name())
  for (const command of program.commands) refuseWords(command, verbs)
  return program
}

/**
 * A command that takes no word of its own but has commands below it names the word that it does not know, and the nearest one; or the command that
 * stands by itself (`plumb drift revert` is `plumb revert`).
 */
function refuseWords(command: Command, verbs: readonly string[]): void {
  if (command.commands.length === 0 || command.registeredArguments.length > 0) return
  command.allowExcessArguments(true).hook('preAction', (_, asked) => {
    const [word] = asked.args
    if (asked !== command || word === undefined) return
    const below = command.commands.map((inner) => inner.name())
    const typed = `plumb ${command.name()}`
    throw new Failure({
      code: 'usage',
      subject: typed,
      message: `it has no command “${word}”`,
      hint: verbs.includes(word) ? `Did you mean “plumb ${asked.args.join(' ')}”?` : (didYouMean(word, below).hint ?? `It has: ${below.join(', ')} (see ${typed} --help).`),
    })
  })
}

/** Whoever uses a command wrongly is pointed at the help of that command, not at the list of all. */
function pointAtOwnHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(see ${path} --help)`)
  for (const inner of command.commands) pointAtOwnHelp(inner, `${path} ${inner.name()}`)
}

function printFailure(failure: Failure, around: Surroundings, how: 'as JSON' | 'as text'): void {
  if (how === 'as JSON') return around.print(JSON.stringify({ error: failure.toJSON() }, null, 2))
  const paint = painter(around)
  for (const line of failureLines(failure.toJSON(), '', paint, lookOf(around).width)) around.note(line)
  const problems = failure.fields['problems']
  if (!Array.isArray(problems) || problems.length < 2) return
  for (const problem of problems) if (isObject(problem)) for (const line of problemLines(problem as unknown as FailureJson, paint)) around.note(`  ${line}`)
}
