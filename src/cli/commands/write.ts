import type { Command } from 'commander'
import { connect } from '../connect.ts'
import { collect, common, lastingOption, narrowed } from '../options.ts'
import type { Common } from '../options.ts'
import { withdrawnLines } from '../print/drift.ts'
import { printRunPlan } from '../print/run.ts'
import type { Exit } from '../program.ts'
import { runId } from '../run-id.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'
import { following, needed, waiting } from './following.ts'
import type { Asking, Follow } from './following.ts'

/** What asks for something to be done. */
export function writeCommands(program: Command, around: Surroundings, exit: Exit): void {
  const follow = following(around, exit)
  startCommands(program, around, follow)
  letGoCommands(program, around, follow)
  decideCommands(program, around, follow)
  pauseCommands(program, around)
}

/** What begins a run. */
function startCommands(program: Command, around: Surroundings, follow: Follow): void {
  for (const kind of ['deploy', 'verify'] as const) {
    const about = { deploy: 'deliver the newest snapshot now, whether or not something changed', verify: 'ask every probe now; changes nothing' }[kind]
    waiting(narrowed(program.command(kind).description(about)))
      .option('--reason <text>', 'why')
      .option('--ticket <id>', 'the ticket that it belongs to')
      .action(async (options: Asking) => {
        const environment = needed(options, kind)
        const connection = connect(options, around)
        const body = {
          reason: options.reason ?? `plumb ${kind}`,
          ticket: options.ticket ?? null,
          ...(options.module === undefined ? {} : { modules: [options.module] }),
        }
        const { run } = await connection.client[kind](environment, body)
        if (run === null) {
          if (options.json === true) around.print(JSON.stringify({ run: null }))
          return around.note('There is nothing to do.')
        }
        await follow(connection, run, options)
      })
  }

  waiting(common(program.command('revert').description('make the fields of a finding as declared again, and no others; what was being adopted is withdrawn').argument('<finding>', 'its id, or the end of it')))
    .requiredOption('--reason <text>', 'why')
    .option('--ticket <id>', 'the ticket that it belongs to')
    .action(async (id: string, options: Asking & { reason: string }) => {
      const connection = connect(options, around)
      const { run } = await connection.client.revert(id, { reason: options.reason, ticket: options.ticket ?? null })
      for (const line of withdrawnLines((await connection.client.finding(id)).history)) around.note(line)
      if (run !== null) await follow(connection, run, options)
    })
}

/** What ends that something is held which Git no longer has. */
function letGoCommands(program: Command, around: Surroundings, follow: Follow): void {
  waiting(narrowed(program.command('prune').description('delete what an environment holds that Git no longer has')))
    .requiredOption('--reason <text>', 'why')
    .option('--ticket <id>', 'the ticket that it belongs to')
    .action(async (options: Asking & { reason: string }) => {
      const connection = connect(options, around)
      const { run } = await connection.client.prune(needed(options, 'prune'), { reason: options.reason, ticket: options.ticket ?? null })
      if (run !== null) return follow(connection, run, options)
      if (options.json === true) around.print(JSON.stringify({ run }))
      else around.note('It holds nothing.')
    })

  narrowed(program.command('forget').description('hold no more what Git no longer has, and leave it where it is'))
    .requiredOption('--reason <text>', 'why')
    .option('--ticket <id>', 'the ticket that it belongs to')
    .action(async (options: Common & { reason: string; ticket?: string }) => {
      const { client } = connect(options, around)
      const modules = options.module === undefined ? {} : { modules: [options.module] }
      const { run } = await client.forget(needed(options, 'forget'), { reason: options.reason, ticket: options.ticket ?? null, ...modules })
      if (options.json === true) around.print(JSON.stringify({ run }))
      else around.print(run === null ? 'Nothing is held that Git no longer has.' : `${place(options)} is forgotten: what it held stays where it is. plumb show ${run} lists it.`)
    })
}

/** A person's word on a run that waits. */
function decideCommands(program: Command, around: Surroundings, follow: Follow): void {
  waiting(narrowed(program.command('approve').description('approve the plan that a run waits with').argument('<run>', 'its id, the end of it, or latest: the newest that waits for an approval')))
    .requiredOption('--reason <text>', 'why')
    .option('--object <object>', 'an object that holds data and may be deleted; repeat it for each', collect)
    .action(async (id: string, options: Asking & { reason: string; object?: string[] }) => {
      const connection = connect(options, around)
      const before = await connection.client.show(await runId(connection.client, id, options, 'to-approve'))
      // What does not wait has no plan to say yes to: the refusal says so, and nothing stands before it.
      if (before.state === 'waiting') for (const line of printRunPlan(before, lookOf(around))) around.note(line)
      const { run } = await connection.client.approve(before.id, { plan: before.plan?.digest ?? 'none', reason: options.reason, objects: options.object ?? [] })
      await follow(connection, run ?? before.id, options, before)
    })

  narrowed(program.command('cancel').description('end a run whose effects have not begun').argument('<run>', 'its id, the end of it, or latest: the newest that has not ended'))
    .requiredOption('--reason <text>', 'why')
    .action(async (id: string, options: Common & { reason: string }) => {
      const { client } = connect(options, around)
      const { run } = await client.cancel(await runId(client, id, options, 'open'), { reason: options.reason })
      const shown = await client.show(run ?? id)
      if (options.json === true) around.print(JSON.stringify(shown, null, 2))
      else around.print(`${shown.id} ${shown.state}`)
    })
}

function pauseCommands(program: Command, around: Surroundings): void {
  narrowed(program.command('pause').description('hold deliveries to an environment, or of one module in it'))
    .requiredOption('--reason <text>', 'why')
    .addOption(lastingOption('--for <duration>', 'for how long', 3_600_000))
    .action(async (options: Common & { reason: string; for: number }) => {
      const environment = needed(options, 'pause')
      await connect(options, around).client.pause(environment, { module: options.module ?? null, reason: options.reason, forMs: options.for })
      if (options.json === true) around.print(JSON.stringify({ done: true }))
      else around.print(`${place(options)} is paused until ${new Date(around.now() + options.for).toISOString()}. plumb resume -e ${environment} ends it.`)
    })

  narrowed(program.command('resume').description('end a pause before its time')).action(async (options: Common) => {
    const { done } = await connect(options, around).client.resume(needed(options, 'resume'), { module: options.module ?? null })
    if (options.json === true) around.print(JSON.stringify({ done }))
    else around.print(done ? `${place(options)} goes on.` : `${place(options)} was not paused.`)
  })
}

function place(options: Common): string {
  return options.module === undefined ? `${options.env}` : `${options.module} in ${options.env}`
}
