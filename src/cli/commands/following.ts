import type { Command } from 'commander'
import type { Run } from '#api/client.ts'
import { Failure } from '#lib/failure.ts'
import { isEnded } from '#model/run.ts'
import type { Connection } from '../connect.ts'
import { followRun, needsPerson } from '../follow.ts'
import { lastingOption } from '../options.ts'
import type { Common } from '../options.ts'
import { printRun } from '../print/run.ts'
import { progress } from '../progress.ts'
import type { Exit, ExitCode } from '../program.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'

/** Options of a command whose run is followed to its end. */
export type Asking = Common & { reason?: string; ticket?: string; wait: boolean; timeout: number }

export function waiting(command: Command): Command {
  return command.option('--no-wait', 'do not follow the run to its end').addOption(lastingOption('--timeout <duration>', 'how long to follow it', 900_000))
}

export type Follow = (connection: Connection, id: string, options: Asking, before?: Run) => Promise<void>

/** Follows a run as the options say, prints it, and ends the command with what became of it. */
export function following(around: Surroundings, exit: Exit): Follow {
  return async (connection, id, options, before) => {
    const show = progress(around)
    const run = options.wait ? await followRun(connection, id, show, AbortSignal.timeout(options.timeout), before) : await connection.client.show(id)
    if (options.json === true) around.print(JSON.stringify(run, null, 2))
    else for (const line of printRun(run, lookOf(around))) around.print(line)
    if (options.wait && !isEnded(run.state) && !needsPerson(run)) around.note(`It goes on. Look at it later: plumb show ${run.id}`)
    exit(options.wait ? exitOf(run) : 0)
  }
}

/** How a run that was followed ended, or why it has not. */
export function exitOf(run: Run): ExitCode {
  if (run.state === 'succeeded' || run.state === 'superseded') return 0
  if (!isEnded(run.state)) return needsPerson(run) ? 3 : 4
  const unknown = run.state === 'failed' && run.failure === null && run.steps.every((step) => step.verification !== 'failed') && run.steps.some((step) => step.verification === 'unknown')
  return unknown ? 4 : 1
}

/** The environment of a command that cannot do without. Failure `usage`. */
export function needed(options: Common, command: string): string {
  if (options.env !== undefined) return options.env
  throw new Failure({ code: 'usage', subject: `plumb ${command}`, message: 'it needs an environment', hint: `plumb ${command} -e ENVIRONMENT` })
}
