import type { Json, JsonObject } from '#lib/json.ts'
import { isObject } from '#lib/json.ts'
import { containerName } from './job-manifest.ts'

/** How far a Job's pod is. */
export type PodState =
  | { readonly is: 'waiting' }
  | { readonly is: 'running' }
  | { readonly is: 'ended'; readonly exit: number }
  /** It cannot be started, or was ended by others: nothing is known of the command. */
  | { readonly is: 'hindered'; readonly why: string }

/** Why a container waits that will not start by waiting: an image or a configuration that is not to be had. */
const hindrances = /^(ErrImage|ImagePull|ImageInspectError|InvalidImageName|RegistryUnavailable|CreateContainer|RunContainerError|PreCreateHookError)/

export function podState(pod: JsonObject): PodState {
  const status = isObject(pod['status']) ? pod['status'] : {}
  const statuses = Array.isArray(status['containerStatuses']) ? status['containerStatuses'].filter(isObject) : []
  const state = statuses.find((one) => one['name'] === containerName)?.['state']
  const { terminated, waiting, running } = isObject(state) ? state : {}
  if (isObject(terminated)) return ended(terminated, status)
  if (status['phase'] === 'Failed') return { is: 'hindered', why: words(status['reason'], 'its pod failed') }
  if (isObject(waiting) && hindrances.test(String(waiting['reason']))) return { is: 'hindered', why: `its container cannot be started (${String(waiting['reason'])})` }
  return isObject(running) ? { is: 'running' } : { is: 'waiting' }
}

/** A container that was ended by the node or by the Job's own limit did not exit by itself. */
function ended({ exitCode, reason }: JsonObject, { reason: podReason }: JsonObject): PodState {
  if (typeof podReason === 'string') return { is: 'hindered', why: words(podReason, '') }
  if (reason === 'OOMKilled') return { is: 'hindered', why: 'it needs more memory than it may have (OOMKilled)' }
  return typeof exitCode === 'number' ? { is: 'ended', exit: exitCode } : { is: 'hindered', why: 'it does not say how it ended' }
}

function words(reason: Json | undefined, otherwise: string): string {
  return typeof reason === 'string' && reason !== '' ? `its pod was ended (${reason})` : otherwise
}
