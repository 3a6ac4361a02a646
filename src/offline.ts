import type { AddCommands } from '#cli/program.ts'
import { recordCommands } from './record-commands.ts'
import { renderCommand } from './render-command.ts'
import { validateCommand } from './validate-command.ts'

/** The commands that need no running control plane. */
export function offlineCommands(env: Readonly<Record<string, string | undefined>>): AddCommands {
  return (program, around, exit) => {
    validateCommand(program, around, exit, env)
    renderCommand(program, around, exit, env)
    recordCommands(program, around, exit)
  }
}
