import type { Command } from 'commander'
import type { Surroundings } from '#cli/surroundings.ts'
export function renderCommand(_program: Command, _around: Surroundings, _env: Readonly<Record<string, string | undefined>>): void {}
