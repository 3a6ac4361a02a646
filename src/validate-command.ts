import type { Command } from 'commander'
import type { Exit } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
export function validateCommand(_program: Command, _around: Surroundings, _exit: Exit): void {}
