import { Failure } from '#lib/failure.ts'

/** `open`: the runs that have not ended; `to-approve`: of them, those that wait for an approval; `begun`: those that may have changed something. */
export const runSelections = ['open', 'to-approve', 'begun'] as const
export type RunSelection = (typeof runSelections)[number]

/** There is no newest run of those that `latest` means, `there`: ` in production`. Failures `run-unknown`, `run-ended`, `run-not-waiting`. */
export function noLatestRun(only: RunSelection | undefined, there: string): Failure {
  const subject = 'run latest'
  const hint = 'List them: plumb runs'
  if (only === 'begun') return new Failure({ code: 'run-unknown', subject, message: `no run${there} has changed anything yet`, hint })
  if (only === undefined) return new Failure({ code: 'run-unknown', subject, message: `there is no run${there} yet`, hint })
  if (only === 'open') return new Failure({ code: 'run-ended', subject, message: `every run${there} has ended, if there was one`, hint })
  return new Failure({ code: 'run-not-waiting', subject, message: `no run${there} waits for an approval`, hint, retry: 'later' })
}
