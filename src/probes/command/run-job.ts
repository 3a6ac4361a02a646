import type { ServedKind } from '#clients/kubernetes/client.ts'
import { neverWritten } from '#clients/kubernetes/client.ts'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { JsonObject } from '#lib/json.ts'
import type { JobPlace } from '../probe.ts'
import { containerName, jobManifest, jobName, probeLabel } from './job-manifest.ts'
import type { JobQuestion } from './job-manifest.ts'
import type { Output } from './judge-output.ts'
import { podState } from './pod-state.ts'

const manager = 'plumbline-probe'
const maxLogBytes = 64 * 1024
/** For what is removed after the sample is over. */
const removalMs = 10_000

/** `started` is called when the command itself runs. */
type Progress = { readonly started: () => void }

/**
 * Runs a command as a Job and removes it, whatever becomes of it; but for a step's, which stays, and goes on when this process is stopped. A Job of the same question that a crash left behind, or that another process has just begun, is
 * waited for in place of a new one while it runs, and removed where it has ended. Failures: those of the client, `object-exists`, `command-hindered`; or the signal's reason.
 */
export async function runJob(place: JobPlace, question: JobQuestion, signal: AbortSignal, progress: Progress): Promise<Output> {
  const { client, namespace } = place
  const [jobs, pods] = await Promise.all([served(place, 'batch/v1', 'Job', signal), served(place, 'v1', 'Pod', signal)])
  const name = jobName(place, question)
  const job = place.step === undefined ? undefined : await ofStep(place, jobs, name, signal)
  const uid = job?.uid ?? (await runningAlready(place, jobs, name, signal)) ?? (await created(place, jobs, question, signal))
  try {
    const { pod, exit } = await ended(place, pods, { name, uid, hasEnded: job?.hasEnded === true }, signal, progress)
    return { exit, text: await client.logs(namespace, pod, containerName, maxLogBytes, signal) }
  } finally {
    // Not by the signal, which may be why it ends. What cannot be removed ends by its own limits.
    if (place.step === undefined) await client.delete(jobs, namespace, name, { uid, propagation: 'Background', dryRun: false }, AbortSignal.timeout(removalMs)).catch(() => {})
  }
}

async function served({ client }: JobPlace, apiVersion: string, kind: string, signal: AbortSignal): Promise<ServedKind> {
  const found = await client.kind(apiVersion, kind, signal)
  if (found !== undefined) return found
  throw hindered(kind, `the cluster serves no kind ${kind} in ${apiVersion}`)
}

/** A step's own Job, running or ended: it is never begun a second time. */
async function ofStep({ client, namespace, step }: JobPlace, jobs: ServedKind, name: string, signal: AbortSignal): Promise<{ uid: string; hasEnded: boolean } | undefined> {
  const job = await client.get(jobs, namespace, name, signal)
  if (job !== undefined) return { uid: String(metadataOf(job)['uid']), hasEnded: hasEnded(job) }
  if (step?.begin !== 'finds') return undefined
  throw hindered(`Job ${namespace}/${name}`, 'it was to be begun, and its Job is not there: whether it ran is not known')
}

/** The uid of a Job of that name that has not ended. One that has is removed, and waited for until it is gone. */
async function runningAlready(place: JobPlace, jobs: ServedKind, name: string, signal: AbortSignal): Promise<string | undefined> {
  const { client, namespace } = place
  const job = await client.get(jobs, namespace, name, signal)
  if (job === undefined) return undefined
  const { uid, labels, deletionTimestamp } = metadataOf(job)
  if (!isObject(labels) || labels[probeLabel] !== name) {
    throw new Failure({ code: 'object-exists', subject: `Job ${namespace}/${name}`, message: `there is a Job ${namespace}/${name} already, which is not a probe’s`, hint: 'Remove or rename it.' })
  }
  if (deletionTimestamp === undefined && !hasEnded(job)) return String(uid)
  await client.delete(jobs, namespace, name, { uid: String(uid), propagation: 'Background', dryRun: false }, signal)
  await gone(place, jobs, name, String(uid), signal)
  return undefined
}

async function gone({ client, namespace }: JobPlace, jobs: ServedKind, name: string, uid: string, signal: AbortSignal): Promise<void> {
  let isThere = false
  for await (const event of client.watch(jobs, namespace, { fields: `metadata.name=${name}` }, undefined, signal)) {
    if (event.type === 'RELIST') isThere = false
    else if (event.type === 'BOOKMARK') {
      if (!isThere) return
    } else if ('object' in event && metadataOf(event.object)['uid'] === uid) {
      if (event.type === 'DELETED') return
      isThere = true
    }
  }
}

async function created({ client, ...place }: JobPlace, jobs: ServedKind, question: JobQuestion, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  // Created and never changed: what another process makes of the same question meanwhile is its own. The answer is waited for beyond the signal: without the
  // uid that it tells, what was made could not be removed.
  const { object } = await client.apply(jobs, jobManifest(place, question), { manager, force: false, dryRun: false, version: neverWritten }, laterThan(signal, removalMs))
  return String(metadataOf(object)['uid'])
}

function laterThan(signal: AbortSignal, ms: number): AbortSignal {
  const ending = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => ending.abort(signal.reason), ms).unref(), { once: true })
  return ending.signal
}

/** Waits for the end of the Job's pod. */
async function ended({ client, namespace }: JobPlace, pods: ServedKind, job: { readonly name: string; readonly uid: string; readonly hasEnded: boolean }, signal: AbortSignal, { started }: Progress): Promise<{ pod: string; exit: number }> {
  for await (const event of client.watch(pods, namespace, { labels: `${probeLabel}=${job.name}` }, undefined, signal)) {
    // All pods that there are have been told of: none will come.
    if (event.type === 'BOOKMARK' && job.hasEnded) throw hindered(`Job ${namespace}/${job.name}`, 'how the command ended cannot be told: its pod is gone')
    if (!('object' in event) || !isOf(event.object, job.uid)) continue
    const pod = String(metadataOf(event.object)['name'])
    const state = podState(event.object)
    if (state.is === 'ended') return { pod, exit: state.exit }
    if (state.is === 'hindered') throw hindered(`Pod ${namespace}/${pod}`, `the command could not be run: ${state.why}`)
    if (event.type === 'DELETED') throw hindered(`Pod ${namespace}/${pod}`, 'the command could not be run: its pod was removed')
    if (state.is === 'running') started()
  }
  signal.throwIfAborted()
  throw hindered(`Job ${namespace}/${job.name}`, 'the command could not be watched')
}

function isOf(pod: JsonObject, uid: string): boolean {
  const { ownerReferences } = metadataOf(pod)
  return Array.isArray(ownerReferences) && ownerReferences.filter(isObject).some((owner) => owner['uid'] === uid)
}

function hasEnded(job: JsonObject): boolean {
  const conditions = isObject(job['status']) && Array.isArray(job['status']['conditions']) ? job['status']['conditions'].filter(isObject) : []
  return conditions.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
}

function metadataOf(object: JsonObject): JsonObject {
  return isObject(object['metadata']) ? object['metadata'] : {}
}

function hindered(subject: string, message: string): Failure {
  return new Failure({ code: 'command-hindered', subject, message, retry: 'later' })
}
