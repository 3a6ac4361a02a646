import { controllerKey, controllerOf, isControlledBy, keyOf, manager, placeOf, timestamp, type ControllerContext } from './controller.ts'
import { parseSchedule, type CronSchedule } from './cron-schedule.ts'
import { cronJobs, jobs, type CronJob, type Job } from './kinds.ts'
import { recordEvent } from './record-event.ts'

const mostMissed = 100

/** Jobs at their times: the last time that was missed is made up for, those before it are not. */
export const cronJobController = controllerOf('cronjob', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(cronJobs, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(jobs, ({ object }) => {
      const owner = controllerKey(object.metadata, 'CronJob')
      if (owner !== undefined) queue.add(owner)
    }),
  ],
}))

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { objects, clock } = context
  const { namespace, name } = placeOf(key)
  const cronJob = objects.get(cronJobs, namespace, name)
  if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) return undefined
  const own = objects.list(jobs, namespace).filter(({ metadata }) => isControlledBy(metadata, cronJob.metadata.uid))
  seeFinished(context, cronJob, own)
  cutHistory(context, cronJob, own)
  const schedule = parseSchedule(cronJob.spec.schedule, cronJob.spec.timeZone)
  if (schedule === undefined) {
    const zone = cronJob.spec.timeZone === undefined ? '' : ` (${cronJob.spec.timeZone})`
    recordEvent(context, { about: cronJob, type: 'Warning', reason: 'UnparseableSchedule', message: `unparseable schedule: ${cronJob.spec.schedule}${zone}`, component: 'cronjob-controller' })
    return undefined
  }
  if (cronJob.spec.suspend === true) return undefined
  const now = clock.now()
  const due = lastDue(cronJob, schedule, now)
  if (due !== undefined) startAt(context, cronJob, own.filter(isRunning), due, now)
  const next = schedule.after(now)
  return next === undefined ? undefined : next - now
}

const finished = (job: Job): 'Complete' | 'Failed' | undefined =>
  job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')?.type as 'Complete' | 'Failed' | undefined
const isRunning = (job: Job): boolean => finished(job) === undefined && job.metadata.deletionTimestamp === undefined

/** The latest time that has come since the last one that was served. */
function lastDue({ metadata, spec, status }: CronJob, schedule: CronSchedule, now: number): number | undefined {
  const earliest = spec.startingDeadlineSeconds === undefined ? Number.NEGATIVE_INFINITY : now - spec.startingDeadlineSeconds * 1000
  let from = Math.max(Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? ''), earliest)
  let due: number | undefined
  for (let missed = 0; ; missed += 1) {
    const time = schedule.after(from)
    if (time === undefined || time > now) return due
    due = time
    // After long away not every minute is counted: what is near now is enough.
    from = missed >= mostMissed && now - time > 86_400_000 ? now - 86_400_000 : time
  }
}

function startAt(context: ControllerContext, cronJob: CronJob, running: readonly Job[], due: number, now: number): void {
  const { objects } = context
  const { namespace, name, uid } = cronJob.metadata
  const policy = cronJob.spec.concurrencyPolicy ?? 'Allow'
  if (policy === 'Forbid' && running.length > 0) {
    recordEvent(context, { about: cronJob, type: 'Normal', reason: 'JobAlreadyActive', message: 'Not starting job because prior execution is running and concurrency policy is Forbid', component: 'cronjob-controller' })
    return // it stays due, and starts when the one before has ended
  }
  if (policy === 'Replace') for (const job of running) objects.delete(jobs, job.metadata)
  const { metadata = {}, spec } = cronJob.spec.jobTemplate
  const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid, controller: true, blockOwnerDeletion: true }]
  // Named after its time in minutes: whoever comes twice for one time finds it.
  const jobName = `${name}-${Math.floor(due / 60_000)}`
  if (objects.get(jobs, namespace, jobName) === undefined) {
    const annotations = { ...metadata.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(due) }
    objects.create(jobs, { metadata: { ...metadata, name: jobName, namespace, annotations, ownerReferences }, spec }, manager)
    recordEvent(context, { about: cronJob, type: 'Normal', reason: 'SuccessfulCreate', message: `Created job ${jobName}`, component: 'cronjob-controller' })
  }
  objects.edit(cronJobs, cronJob.metadata, 'status', manager, (object) => {
    object.status = { ...object.status, lastScheduleTime: timestamp(Math.min(due, now)) }
  })
}

/** `active` and `lastSuccessfulTime`; an Event for each Job that was active and is not. */
function seeFinished(context: ControllerContext, cronJob: CronJob, own: readonly Job[]): void {
  for (const { uid } of cronJob.status?.active ?? []) {
    const job = own.find(({ metadata }) => metadata.uid === uid)
    const end = job === undefined ? undefined : finished(job)
    if (job !== undefined && end !== undefined) {
      recordEvent(context, { about: cronJob, type: 'Normal', reason: 'SawCompletedJob', message: `Saw completed job: ${job.metadata.name}, condition: ${end}`, component: 'cronjob-controller' })
    }
  }
  const active = own.filter(isRunning).map(({ metadata }) => ({ apiVersion: 'batch/v1', kind: 'Job', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }))
  const ends = own.flatMap((job) => (finished(job) === 'Complete' && job.status?.completionTime !== undefined ? [job.status.completionTime] : [])).sort()
  const last = ends.at(-1)
  const seen = (before: CronJob['status']): NonNullable<CronJob['status']> => {
    const { active: _before, ...rest } = before ?? {}
    return { ...rest, ...(active.length === 0 ? {} : { active }), ...(last === undefined || (rest.lastSuccessfulTime ?? '') >= last ? {} : { lastSuccessfulTime: last }) }
  }
  // Of what never ran there is nothing to say: an empty status would be a write, and make its writer an owner.
  if (Object.keys(seen(cronJob.status)).length === 0 && Object.keys(cronJob.status ?? {}).length === 0) return
  context.objects.edit(cronJobs, cronJob.metadata, 'status', manager, (object) => void (object.status = seen(object.status)))
}

function cutHistory({ objects }: ControllerContext, { spec }: CronJob, own: readonly Job[]): void {
  const limits = { Complete: spec.successfulJobsHistoryLimit ?? 3, Failed: spec.failedJobsHistoryLimit ?? 1 }
  for (const [end, keep] of Object.entries(limits)) {
    const ended = own.filter((job) => finished(job) === end).sort((a, b) => (a.status?.startTime ?? '').localeCompare(b.status?.startTime ?? ''))
    for (const job of ended.slice(0, Math.max(0, ended.length - keep))) objects.delete(jobs, job.metadata)
  }
}
