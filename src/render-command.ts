import { tmpdir } from 'node:os'
import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { problemLines } from '#cli/print/problem.ts'
import { painter } from '#cli/print/table.ts'
import type { Exit } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'
import { exitOf } from './validate-command.ts'

type Options = { env?: string; module?: string; json?: boolean }

/** `plumb render PATH -e ENV`: what would be delivered, as YAML documents, without a server. No value of a Secret is printed. */
export function renderCommand(program: Command, around: Surroundings, exit: Exit, env: Readonly<Record<string, string | undefined>>): void {
  program
    .command('render')
    .description('print what would be delivered to an environment from a working directory, without a server; the values of Secrets are masked')
    .argument('[path]', 'a workspace, or a repository with modules', '.')
    .option('-e, --env <environment>', 'the environment')
    .option('-m, --module <module>', 'one module')
    .option('--json', 'print JSON')
    .action(async (path: string, options: Options) => {
      if (options.env === undefined) throw new Failure({ code: 'usage', subject: 'plumb render', message: 'it needs an environment', hint: 'plumb render PATH -e ENVIRONMENT' })
      const [{ renderPath, asYaml }, { renderTools }, { folderReader }] = await Promise.all([import('./render-path.ts'), import('#render/tools.ts'), import('#render/folder-reader.ts')])
      const full = resolve(around.cwd, path)
      const tools = renderTools({ path: env['PATH'] ?? '', tempDir: tmpdir() })
      const rendered = await renderPath(folderReader(full, relative(around.cwd, full) || '.'), options.env, options.module, tools, new AbortController().signal)
      exit(exitOf(rendered.problems))
      if (options.json === true) return around.print(JSON.stringify(rendered, null, 2))
      for (const line of asYaml(rendered)) around.print(line)
      for (const problem of rendered.problems) for (const line of problemLines(problem, painter(around))) around.note(line)
    })
}
