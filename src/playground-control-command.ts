import { resolve } from 'node:path'
import type { Command } from 'commander'
import { wrap } from '#cli/print/safe.ts'
import { painter } from '#cli/print/table.ts'
import type { AddCommands } from '#cli/program.ts'
import { lookOf } from '#cli/surroundings.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { askPlayground } from '#playground/control/ask-playground.ts'
import { leftOut } from '#playground/control/breakage.ts'
import type { BreakageRow, ControlRequest } from '#playground/control/control.ts'

type Options = { dir?: string; env?: string; json?: boolean }

/** `plumb playground break|mend|reset`: of the playground that runs in a folder, told through its own socket. */
export const playgroundControlCommand: AddCommands = (program, around) => {
  const playground = program.commands.find((command) => command.name() === 'playground') ?? program.command('playground')
  const ask = async (command: Command, request: ControlRequest): Promise<BreakageRow[]> => {
    const { dir } = command.optsWithGlobals<Options>()
    return askPlayground(resolve(around.cwd, dir ?? around.env.dir ?? '.plumb'), request, (doing) => around.note(`${doing} …`))
  }
  const show = (command: Command, rows: readonly BreakageRow[], print: (rows: readonly BreakageRow[]) => string[]): void => {
    if (command.optsWithGlobals<Options>().json === true) around.print(JSON.stringify({ breakages: rows }, null, 2))
    else for (const line of print(rows)) around.print(line)
  }

  for (const verb of ['break', 'mend'] as const) {
    folder(playground.command(verb))
      .description(verb === 'break' ? 'break something in the playground, to see what follows; without a name, list what can be broken' : 'mend what was broken; without a name, list what can be')
      .argument('[what]', 'what to break or mend')
      .option('-e, --env <environment>', 'where', 'production')
      .action(async (what: string | undefined, options: Options, command: Command) => {
        if (what === undefined) return show(command, await ask(command, { do: 'list' }), (rows) => listed(rows, around))
        const rows = await ask(command, { do: verb, what, environment: options.env ?? 'production' })
        show(command, rows, (done) => done.map((row) => `${row.environment}: ${row.name} is ${row.state}${row.state === 'broken' ? `: ${row.shows}` : ''}`))
      })
  }

  folder(playground.command('reset'))
    .description('mend everything, and make the example repositories and the databases as they were at first')
    .action(async (_: Options, command: Command) =>
      show(command, await ask(command, { do: 'reset' }), () => ['The repositories and the databases are as they were at first; what the clusters hold follows as it is delivered.']),
    )
}

function folder(command: Command): Command {
  return command.option('--dir <folder>', 'the folder of the playground (PLUMB_DIR; .plumb)').option('--json', 'print JSON')
}

const tones = { whole: 'good', broken: 'bad', absent: 'quiet', unknown: 'bad' } as const

/** What can be broken, each once: how it is in each environment, what breaking it does, and what is then seen. */
function listed(rows: readonly BreakageRow[], around: Surroundings): string[] {
  const paint = painter(around)
  const width = Math.min(lookOf(around).width, 120)
  const part = (text: string): string[] => wrap(text, width - 2).map((line) => `  ${line}`)
  const all = [...new Set(rows.map(({ name }) => name))].flatMap((name) => {
    const those = rows.filter((row) => row.name === name)
    const states = those.map(({ environment, state }) => `${environment} ${paint(tones[state], state)}`).join(', ')
    const [{ does, shows } = { does: '', shows: '' }] = those
    return [`${paint('strong', name)}: ${states}`, ...part(`does: ${does}`), ...part(`seen: ${shows}`)]
  })
  return [...all, ...Object.entries(leftOut).flatMap(([name, why]) => wrap(`${name} is not among them: ${why}.`, width))]
}
