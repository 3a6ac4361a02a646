import type { Run, Status } from '#api/client.ts'
import type { Connection } from '#cli/connect.ts'
import { changes } from '#cli/follow.ts'
import { progress } from '#cli/progress.ts'
import { isGood } from '#cli/status-exit.ts'
import type { Surroundings } from '#cli/surroundings.ts'

/** Follows the first deliveries to their end, and gives production's first run the approval that it waits for. Comes back when `signal` says so, too. */
export async function firstDelivery(connection: Connection, around: Surroundings, signal: AbortSignal): Promise<Status> {
  const { client } = connection
  const show = progress(around)
  const approved = new Set<string>()
  const began = around.now()
  let status = await client.status()
  for await (const _ of changes(connection, signal)) {
    const { runs } = await client.runs({ limit: 20 })
    // What waits here goes on by itself; how it stands at the end is in the table.
    // What ended before this start was told then.
    for (const run of runs.toReversed()) if (run.endedAt === null || Date.parse(run.endedAt) >= began) show({ ...run, waiting: [] })
    const first = await firstApprovals(client, runs)
    for (const run of first) {
      const key = `${run.id} ${run.plan?.digest}`
      if (approved.has(key)) continue
      approved.add(key)
      around.note(`Approving ${run.id}, the first run of ${run.environment}, as the user playground. Later ones wait for plumb approve.`)
      await client.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'the first delivery of the playground' })
    }
    status = await client.status()
    // What a run found is told before the run has ended; it counts when the record is sealed.
    if ((isDone(status) && !runs.some(isUnderWay)) || isStuck(status, runs, first)) return status
  }
  return status
}

/** The runs that wait for an approval and nothing else, where nothing was ever delivered and no run has ended: of those alone the playground says yes by itself. */
async function firstApprovals(client: Connection['client'], runs: readonly Run[]): Promise<Run[]> {
  const waiting = runs.filter(waitsForApproval)
  if (waiting.length === 0) return []
  const { environments } = await client.status()
  const isFirst = async ({ environment }: Run): Promise<boolean> => {
    // The newest runs of all environments tell nothing of one in which little happens.
    const own = await client.runs({ environment, limit: 200 })
    const modules = environments.find(({ name }) => name === environment)?.modules
    return modules?.every(({ snapshot }) => snapshot === null) === true && own.runs.every(({ record }) => record === null)
  }
  const are = await Promise.all(waiting.map(isFirst))
  return waiting.filter((_, at) => are[at])
}

function waitsForApproval(run: Run): boolean {
  return run.state === 'waiting' && run.waiting.length > 0 && run.waiting.every((one) => one.waitingFor === 'approval')
}

function isUnderWay(run: Run): boolean {
  return run.endedAt === null && run.state !== 'waiting'
}

/** Every environment is delivered and verified. */
export function isDone(status: Status): boolean {
  return (
    status.environments.length > 0 &&
    status.environments.every(
      ({ modules }) => modules.length > 0 && modules.every(isGood),
    )
  )
}

/** Something failed, or waits for a person, and nothing is under way that could mend it. `first`: what waits, and is approved here. */
function isStuck(status: Status, runs: readonly Run[], first: readonly Run[]): boolean {
  const needsPerson = (run: Run): boolean => !first.includes(run) && (waitsForApproval(run) || (run.state === 'waiting' && run.waiting.some((one) => one.waitingFor === 'person' || one.waitingFor === 'pause')))
  const hasFailed = (run: Run): boolean => run.state === 'failed' || run.state === 'halted' || run.state === 'interrupted'
  const isStopped = status.problems.length > 0 || runs.some((run) => hasFailed(run) || needsPerson(run))
  return isStopped && runs.every((run) => run.endedAt !== null || (run.state === 'waiting' && !first.includes(run)))
}
