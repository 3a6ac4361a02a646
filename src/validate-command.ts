import { tmpdir } from 'node:os'
import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { problemLines } from '#cli/print/problem.ts'
import { painter } from '#cli/print/table.ts'
import type { Exit, ExitCode } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import type { FailureJson } from '#lib/failure.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'

/** `plumb validate PATH`: what is wrong with a working directory, without a server. Made for a developer's hook and for CI. */
export function validateCommand(program: Command, around: Surroundings, exit: Exit, env: Readonly<Record<string, string | undefined>>): void {
  program
    .command('validate')
    .description('check a working directory, or one file of it, without a server: the configuration, and that every module renders')
    .argument('[path]', 'a workspace, a repository with modules, or one configuration file', '.')
    .option('--json', 'print JSON')
    .action(async (path: string, options: { json?: boolean }) => {
      const [{ validatePath }, { renderTools }, { probeSchemas }] = await Promise.all([import('#render/validate.ts'), import('#render/tools.ts'), import('#probes/registry.ts')])
      const full = resolve(around.cwd, path)
      const tools = renderTools({ path: env['PATH'] ?? '', tempDir: tmpdir() })
      const told = await validatePath(full, { shown: relative(around.cwd, full) || '.', probes: probeSchemas, tools, signal: new AbortController().signal })
      const found = { ...told, problems: [...told.problems].sort(byPlace) }
      exit(exitOf(found.problems))
      if (options.json === true) return around.print(JSON.stringify({ valid: found.problems.length === 0, ...found, workspace: found.workspace ?? null }, null, 2))
      const paint = painter(around)
      for (const problem of found.problems) for (const line of problemLines(problem, paint)) around.print(line)
      const what = [found.workspace === undefined ? 'no workspace' : `workspace ${found.workspace}`, count(found.environments.length, 'environment'), count(found.modules.length, 'module')]
      const verdict = found.problems.length === 0 ? paint('good', 'valid') : paint('bad', count(found.problems.length, 'problem'))
      around.print(`${verdict}  ${what.join(', ')}, ${count(found.rendered, 'rendering')}`)
    })
}

/** As one reads: by file, line and column. */
function byPlace(a: FailureJson, b: FailureJson): number {
  const [fileA, lineA = 0, columnA = 0] = placeOf(a)
  const [fileB, lineB = 0, columnB = 0] = placeOf(b)
  if (fileA !== fileB) return fileA < fileB ? -1 : 1
  return lineA === lineB ? columnA - columnB : lineA - lineB
}

/** A subject is `file:line:column`, or something that has no place in a file. */
function placeOf({ subject }: FailureJson): [file: string, line?: number, column?: number] {
  const [, file = subject, line, column] = /^(.*?):(\d+)(?::(\d+))?$/.exec(subject) ?? []
  return [file, Number(line ?? 0), Number(column ?? 0)]
}

/** Bad configuration before what failed, and that before what could not be found out. */
export function exitOf(problems: readonly FailureJson[]): ExitCode {
  const codes: ExitCode[] = problems.map((problem) => errors[problem.code as ErrorCode]?.exit ?? 1)
  return ([2, 1, 3, 4] as const).find((code) => codes.includes(code)) ?? 0
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
