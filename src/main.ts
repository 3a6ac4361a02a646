import { readFileSync } from 'node:fs'
import { runCommandLine } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { offlineCommands } from './offline.ts'
import { playgroundCommand } from './playground-command.ts'
import { playgroundControlCommand } from './playground-control-command.ts'
import { upCommand } from './up-command.ts'
import { versionOption } from './version-option.ts'

// The one place that reads the environment and the terminal; everything else is told.
const { env, stdout, stderr } = process
const around: Surroundings = {
  print: (line) => stdout.write(`${line}\n`),
  note: (line) => stderr.write(`${line}\n`),
  colours: stdout.isTTY && stdout.hasColors() && env['NO_COLOR'] === undefined,
  // Who reads a pipe cuts for itself.
  width: stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY,
  cwd: process.cwd(),
  env: {
    ...(env['PLUMB_DIR'] === undefined ? {} : { dir: env['PLUMB_DIR'] }),
    ...(env['PLUMB_SERVER'] === undefined ? {} : { server: env['PLUMB_SERVER'] }),
    ...(env['PLUMB_TOKEN'] === undefined ? {} : { token: env['PLUMB_TOKEN'] }),
  },
  readFile: (path) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
  now: () => Date.now(),
}

// `plumb status | head` closes the pipe early; that is no failure.
for (const stream of [stdout, stderr]) stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runCommandLine(process.argv.slice(2), around, [versionOption, playgroundCommand(env), playgroundControlCommand, upCommand(env), offlineCommands(env)])
