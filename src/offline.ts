import type { AddCommands } from '#cli/program.ts'
import { importCommand } from './import-command.ts'
import { recordCommands } from './record-commands.ts'
import { renderCommand } from './render-command.ts'
import { validateCommand } from './validate-command.ts'

/** The commands that need no running control plane, and those that write files. */
export function offlineCommands(env: Readonly<Record<string, string | undefined>>): AddCommands {
  return (program, around, exit) => {
    validateCommand(program, around, exit, env)
    renderCommand(program, around, exit, env)
    recordCommands(program, around, exit)
    importCommand(program, around)
  }
}
