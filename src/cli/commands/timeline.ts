import type { Command } from 'commander'
import { connect } from '../connect.ts'
import { lastingOption, narrowed } from '../options.ts'
import type { Common } from '../options.ts'
import { printTimeline } from '../print/timeline.ts'
import { lookOf } from '../surroundings.ts'
import type { Surroundings } from '../surroundings.ts'

/** Which change produced an incorrect result, and when did we know? */
export function timelineCommand(program: Command, around: Surroundings): void {
  narrowed(program.command('timeline').description('what happened, in one line of time: commits, runs, approvals, verdicts, findings'))
    .addOption(lastingOption('--since <duration>', 'how far back', 7_200_000))
    .action(async (options: Common & { since: number }) => {
      const since = new Date(around.now() - options.since).toISOString()
      const timeline = await connect(options, around).client.timeline({ since, environment: options.env, module: options.module })
      if (options.json === true) around.print(JSON.stringify(timeline, null, 2))
      else for (const line of printTimeline(timeline, lookOf(around))) around.print(line)
    })
}
