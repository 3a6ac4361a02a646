import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { duration } from '#model/config/parts.ts'
import { lasting } from './print/table.ts'

export type Common = { dir?: string; server?: string; tokenFile?: string; json?: boolean; env?: string; module?: string }

/** What every command that speaks to a control plane takes. */
export function common(command: Command): Command {
  return command
    .option('--dir <folder>', 'the folder of the control plane (PLUMB_DIR; .plumb)')
    .option('--server <url>', 'the control plane’s address, in place of a folder (PLUMB_SERVER)')
    .option('--token-file <file>', 'a file with the token (or PLUMB_TOKEN)')
    .option('--json', 'print JSON')
}

export function narrowed(command: Command): Command {
  return common(command).option('-e, --env <environment>', 'one environment').option('-m, --module <module>', 'one module')
}

/** Milliseconds. */
export function durationOption(text: string): number {
  const parsed = duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError('expected a duration such as 30m, 8h or 2d')
}

/** An option for a duration, whose default, in milliseconds, is told as one would type it. */
export function lastingOption(flags: string, about: string, milliseconds: number): Option {
  return new Option(flags, about).argParser(durationOption).default(milliseconds, lasting(milliseconds))
}

export function countOption(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 200) return count
  throw new InvalidArgumentError('expected a number from 1 to 200')
}

export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
