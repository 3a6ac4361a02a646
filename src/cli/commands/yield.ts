import type { Command } from 'commander'
import { Failure } from '#lib/failure.ts'
import { showKey } from '#model/resource.ts'
import { connect } from '../connect.ts'
import { narrowed } from '../options.ts'
import type { Common } from '../options.ts'
import { printEdits } from '../print/adoption.ts'
import { safe } from '../print/safe.ts'
import { columns, painter } from '../print/table.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'

/** `plumb yield`: stop declaring what another controller rightly moves. */
export function yieldCommand(program: Command, around: Surroundings): void {
  narrowed(program.command('yield').description('what Git declares and another controller rightly moves; with an object, a commit on a branch that declares it no more').argument('[object]', 'as it is listed: "Deployment shop/web"'))
    .option('--reason <text>', 'why; kept in the commit; required with an object')
    .action(async (object: string | undefined, options: Common & { reason?: string }) => {
      if (options.env === undefined) throw new Failure({ code: 'usage', subject: 'plumb yield', message: 'it needs an environment', hint: 'plumb yield -e ENVIRONMENT' })
      const { client } = connect(options, around)
      const { fields } = await client.yielded(options.env, { module: options.module })
      const look = lookOf(around)
      if (object === undefined) {
        if (options.json === true) return around.print(JSON.stringify({ fields }, null, 2))
        if (fields.length === 0) return around.print('Nothing is declared that another controller moves.')
        const rows = fields.map(({ module, object: key, path, to, isSafe }) => [{ text: safe(module) }, { text: safe(showKey(key)) }, { text: safe(path) }, { text: safe(to) }, { text: isSafe ? 'may go' : 'not yet: it would be deleted', tone: isSafe ? ('good' as const) : ('warn' as const) }])
        for (const line of columns([['MODULE', 'OBJECT', 'FIELD', 'MOVED BY', ''].map((text) => ({ text, tone: 'quiet' as const })), ...rows], { width: look.width, elastic: [1, 3] }, painter(look))) around.print(line)
        return
      }
      const module = fields.find((one) => one.object === object || showKey(one.object) === object)?.module ?? options.module
      if (options.reason === undefined || module === undefined)
        throw new Failure({ code: 'usage', subject: 'plumb yield', message: options.reason === undefined ? 'it needs a reason' : `nothing is listed of ${object}`, hint: 'plumb yield -e ENVIRONMENT "Deployment shop/web" --reason WHY' })
      const proposed = await client.yield(options.env, { module, object, reason: options.reason })
      if (options.json === true) return around.print(JSON.stringify(proposed, null, 2))
      around.print(`proposed  ${proposed.repository} ${proposed.branch} at ${proposed.commit.slice(0, 8)}${proposed.pullRequest === null ? '' : `  ${proposed.pullRequest}`}`)
      for (const line of printEdits({ edits: proposed.edits, renamed: [], unproven: [] }, look)) around.print(line)
    })
}
