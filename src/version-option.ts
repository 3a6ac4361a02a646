import { readFileSync } from 'node:fs'
import type { AddCommands } from '#cli/program.ts'

/** `plumb --version`: what whoever reports a defect is asked for first. */
export const versionOption: AddCommands = (program) => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  program.version(`plumb ${version} (Node ${process.versions.node})`, '--version', 'print the version, and that of the Node that runs it')
}
