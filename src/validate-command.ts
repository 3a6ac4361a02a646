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
      const given = relative(around.cwd, resolve(around.cwd, path)) || '.'
      const tools = renderTools({ path: env['PATH'] ?? '', tempDir: tmpdir() })
      const found = await validatePath(given, { probes: probeSchemas, tools, signal: new AbortController().signal })
      exit(exitOf(found.problems))
      if (options.json === true) return around.print(JSON.stringify({ valid: found.problems.length === 0, ...found, workspace: found.workspace ?? null }, null, 2))
      const paint = painter(around.colours)
      for (const problem of found.problems) for (const line of problemLines(problem, paint)) around.print(line)
      const what = [found.workspace === undefined ? 'no workspace' : `workspace ${found.workspace}`, count(found.environments.length, 'environment'), count(found.modules.length, 'module')]
      const verdict = found.problems.length === 0 ? paint('good', 'valid') : paint('bad', count(found.problems.length, 'problem'))
      around.print(`${verdict}  ${what.join(', ')}, ${count(found.rendered, 'rendering')}`)
    })
}

/** Bad configuration before what failed, and that before what could not be found out. */
export function exitOf(problems: readonly FailureJson[]): ExitCode {
  const codes: ExitCode[] = problems.map((problem) => errors[problem.code as ErrorCode]?.exit ?? 1)
  return ([2, 1, 3, 4] as const).find((code) => codes.includes(code)) ?? 0
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
