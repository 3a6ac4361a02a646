import type { Command } from 'commander'
import type { Adoption } from '#api/client.ts'
import { Failure } from '#lib/failure.ts'
import { connect } from '../connect.ts'
import type { Connection } from '../connect.ts'
import { changes } from '../follow.ts'
import { common, lastingOption } from '../options.ts'
import type { Common } from '../options.ts'
import { printAdoption, printEdits } from '../print/adoption.ts'
import type { Exit } from '../program.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'

type Options = Common & { patch?: true; reason?: string; timeout: number }

/** `plumb adopt`: reality back to Git. */
export function adoptCommand(program: Command, around: Surroundings, exit: Exit): void {
  common(program.command('adopt').description('write a drift back to Git: an edit that is proven by rendering, on a branch or as a patch').argument('<finding>', 'its id, or the end of it'))
    .option('--patch', 'print the edit, for git apply, and push nothing')
    .option('--reason <text>', 'why; kept in the commit; required, but for --patch')
    .addOption(lastingOption('--timeout <duration>', 'how long to wait until it is pushed', 120_000))
    .action(async (id: string, options: Options) => {
      const connection = connect(options, around)
      const { client } = connection
      if (options.patch === true) {
        const found = await client.adoptionPatch(id)
        if (options.json === true) return around.print(JSON.stringify(found, null, 2))
        for (const line of printEdits(found, lookOf(around))) around.note(line)
        return found.patch === '' ? around.note('Git says so already.') : around.print(found.patch.replace(/\n$/, ''))
      }
      if (options.reason === undefined) throw new Failure({ code: 'usage', subject: 'plumb adopt', message: 'it needs a reason', hint: 'plumb adopt FINDING --reason WHY' })
      await client.adopt(id, { reason: options.reason })
      const adoption = await carriedOut(connection, id, AbortSignal.timeout(options.timeout))
      if (options.json === true) around.print(JSON.stringify(adoption, null, 2))
      else for (const line of printAdoption(adoption, lookOf(around))) around.print(line)
      if (adoption.state === 'asked') exit(4)
      else if (adoption.state !== 'proposed') exit(1)
    })
}

/** The adoption, once it is no longer merely asked for, or the time is over. The pull request comes a moment after the commit. */
async function carriedOut({ client, ...connection }: Connection, id: string, signal: AbortSignal): Promise<Adoption> {
  let last: Adoption | null = null
  for await (const _ of changes({ client, ...connection }, signal)) {
    last = (await client.adoption(id)).adoption
    if (last !== null && last.state !== 'asked') return last
  }
  if (last !== null) return last
  throw new Failure({ code: 'internal', subject: `finding ${id}`, message: 'it was asked for and is not there' })
}
