import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { connect } from '#cli/connect.ts'
import { common } from '#cli/options.ts'
import type { Common } from '#cli/options.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { Failure } from '#lib/failure.ts'

type Options = Common & { namespace: string; env?: string; target?: string; name?: string; out?: string; repository?: string; reason?: string }
type Left = readonly { object: string; why: string; hint: string | null }[]

/** `plumb import`: from live objects of a namespace to a first module, in a folder or on a branch. */
export function importCommand(program: Command, around: Surroundings): void {
  common(program.command('import').description('a first module of what is live in a namespace: in a folder, or as a branch of a repository; changes nothing in the cluster'))
    .requiredOption('--namespace <namespace>', 'what to import')
    .option('-e, --env <environment>', 'the environment that it is in')
    .option('--target <target>', 'the cluster, where the environment has several')
    .option('--name <module>', 'the module’s name; the namespace’s, if left out')
    .option('--out <folder>', 'the folder to write, which must not have a module yet; the module’s name, if left out')
    .option('--repository <repository>', 'commit it on a branch of this repository, in place of a folder')
    .option('--reason <text>', 'why; kept in the commit')
    .action(async (options: Options) => {
      if (options.env === undefined) throw new Failure({ code: 'usage', subject: 'plumb import', message: 'it needs an environment', hint: 'plumb import --namespace NAMESPACE -e ENVIRONMENT' })
      const { client } = connect(options, around)
      const { namespace, target, name: module } = options
      if (options.repository !== undefined) {
        const body = { namespace, repository: options.repository, reason: options.reason ?? 'plumb import', ...(target === undefined ? {} : { target }), ...(module === undefined ? {} : { module }) }
        const proposed = await client.proposeImport(options.env, body)
        if (options.json === true) return around.print(JSON.stringify(proposed, null, 2))
        around.print(`${options.repository}: branch ${proposed.branch} at ${proposed.commit.slice(0, 8)}${proposed.pullRequest === null ? '' : `, ${proposed.pullRequest}`}`)
        return printLeft(proposed.left, around)
      }
      const imported = await client.import(options.env, { namespace, target, module })
      const folder = resolve(around.cwd, options.out ?? imported.module)
      await writeFiles(folder, imported.files)
      if (options.json === true) return around.print(JSON.stringify({ folder, ...imported }, null, 2))
      for (const { path } of imported.files) around.print(join(folder, path))
      printLeft(imported.left, around)
      around.note('Read it, commit it to a repository of the workspace that may deliver there, and look: plumb plan')
    })
}

/** The module's own file last: a folder that is half written is no module. */
async function writeFiles(folder: string, files: readonly { path: string; content: string }[]): Promise<void> {
  if (files.some(({ path }) => path.startsWith('/') || path.split('/').includes('..'))) throw new Failure({ code: 'usage', subject: folder, message: 'what answered names files outside of the folder' })
  for (const { path, content } of files.toSorted((a, b) => Number(a.path === 'module.yaml') - Number(b.path === 'module.yaml'))) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      throw new Failure({ code: 'usage', subject: file, message: 'there is a file of that name already, and it is left as it is', hint: 'Name another folder with --out.' })
    })
  }
}

function printLeft(left: Left, around: Surroundings): void {
  for (const { object, why, hint } of left) around.note(`left out: ${object}: ${why}${hint === null ? '' : `. ${hint}`}`)
}
