import { conditionOf, withCondition } from './conditions.ts'
import { controllerKey, controllerOf, keyOf, manager, placeOf, timestamp, type ControllerContext } from './controller.ts'
import { jobs, pods, type Condition, type Job, type Pod } from './kinds.ts'
import { createPod, isActive, isLeaving, isReady, podsOf } from './pods-of.ts'
import { recordEvent } from './record-event.ts'
import { positive } from './replica-set.ts'

const firstRetryMs = 10_000
const lastRetryMs = 600_000

/** Pods that end: until enough have succeeded, too many have failed, or time is up. Finished Jobs keep their pods. */
export const jobController = controllerOf('job', (context) => ({
  reconcile: (key) => reconcile(context, key),
  watches: (queue) => [
    context.objects.watch(jobs, ({ object }) => queue.add(keyOf(object.metadata))),
    context.objects.watch(pods, ({ object }) => {
      const owner = controllerKey(object.metadata, 'Job')
      if (owner !== undefined) queue.add(owner)
    }),
  ],
}))

type Verdict = { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string }

function reconcile(context: ControllerContext, key: string): number | undefined {
  const { namespace, name } = placeOf(key)
  const job = context.objects.get(jobs, namespace, name)
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
  const now = context.clock.now()
  const finished = finishOf(job)
  if (finished !== undefined) return expire(context, job, finished, now)
  const own = podsOf(context, job)
  const verdict = judge(job, own, now)
  const active = own.filter(isActive)
  let again = verdict === undefined ? untilDeadline(job, now) : undefined
  if (verdict !== undefined || job.spec.suspend === true) for (const pod of active) context.objects.delete(pods, pod.metadata)
  else again = earliest(again, fill(context, job, own, active.length, now))
  writeStatus(context, job, podsOf(context, job), verdict, now)
  if (verdict !== undefined) {
    const type = verdict.type === 'Complete' ? 'Normal' : 'Warning'
    recordEvent(context, { about: job, type, reason: verdict.type === 'Complete' ? 'Completed' : verdict.reason, message: verdict.message, component: 'job-controller' })
  }
  return again
}

const succeeded = (own: readonly Pod[]): number => own.filter((pod) => pod.status?.phase === 'Succeeded').length
const failed = (own: readonly Pod[]): Pod[] => own.filter((pod) => pod.status?.phase === 'Failed')

const finishOf = (job: Job): Condition | undefined =>
  job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')

function judge(job: Job, own: readonly Pod[], now: number): Verdict | undefined {
  const restarts = own.flatMap((pod) => (isActive(pod) ? (pod.status?.containerStatuses ?? []) : [])).reduce((sum, { restartCount }) => sum + restartCount, 0)
  if (failed(own).length + restarts > (job.spec.backoffLimit ?? 6)) {
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  }
  if (untilDeadline(job, now) === 0) return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  const enough = job.spec.completions === undefined ? succeeded(own) > 0 && !own.some(isActive) : succeeded(own) >= job.spec.completions
  return enough ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined
}

function untilDeadline({ spec, status }: Job, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend === true) return undefined
  return Math.max(0, Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - now)
}

/** Starts what is missing; after failures, later and later. Answers when to look again. */
function fill(context: ControllerContext, job: Job, own: readonly Pod[], active: number, now: number): number | undefined {
  const left = job.spec.completions === undefined ? (succeeded(own) > 0 ? active : Infinity) : job.spec.completions - succeeded(own)
  const missing = Math.min(job.spec.parallelism ?? 1, left) - active
  if (missing <= 0) return undefined
  const failures = failed(own)
  const ends = failures.flatMap((pod) => (pod.status?.containerStatuses ?? []).map(({ state }) => Date.parse(state.terminated?.finishedAt ?? '')))
  if (failures.length > 0) {
    const wait = Math.max(0, ...ends.filter(Number.isFinite)) + Math.min(lastRetryMs, firstRetryMs * 2 ** (failures.length - 1)) - now
    if (wait > 0) return wait
  }
  const uid = job.metadata.uid
  const { name } = job.metadata
  const labels = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, 'job-name': name }
  for (let index = 0; index < missing; index += 1) {
    const pod = createPod(context, { owner: job, template: job.spec.template, name: { generated: `${name}-` }, labels })
    recordEvent(context, { about: job, type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}`, component: 'job-controller' })
  }
  return undefined
}

function writeStatus({ objects }: ControllerContext, job: Job, own: readonly Pod[], verdict: Verdict | undefined, now: number): void {
  const active = own.filter(isActive)
  const time = timestamp(now)
  objects.edit(jobs, job.metadata, 'status', manager, (object) => {
    let conditions = object.status?.conditions ?? []
    const suspended = conditionOf(conditions, 'Suspended')
    if (job.spec.suspend === true) conditions = withCondition(conditions, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }, time)
    else if (suspended?.status === 'True') conditions = withCondition(conditions, { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }, time)
    if (verdict !== undefined) {
      const { type, reason, message } = verdict
      // The earlier condition of the two that say the same: it tells that the outcome is settled while pods may still be ending.
      const settled = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
      for (const name of [settled, type]) conditions = withCondition(conditions, { type: name, status: 'True', reason, message, lastProbeTime: time }, time)
    }
    const start = job.spec.suspend === true ? undefined : (object.status?.startTime ?? time)
    object.status = {
      ...positive('active', active.length),
      ready: active.filter(isReady).length,
      terminating: own.filter(isLeaving).length,
      ...positive('succeeded', succeeded(own)),
      ...positive('failed', failed(own).length),
      ...(start === undefined ? {} : { startTime: start }),
      ...(verdict?.type === 'Complete' ? { completionTime: time } : {}),
      uncountedTerminatedPods: {},
      ...(conditions.length === 0 ? {} : { conditions }),
    }
  })
}

function expire({ objects }: ControllerContext, job: Job, finished: Condition, now: number): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec
  if (ttlSecondsAfterFinished === undefined) return undefined
  const left = Date.parse(finished.lastTransitionTime ?? '') + ttlSecondsAfterFinished * 1000 - now
  if (left > 0) return left
  objects.delete(jobs, job.metadata)
  return undefined
}

const earliest = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined ? b : b === undefined ? a : Math.min(a, b))
