import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { leafChanges } from '#lib/leaves.ts'
import { objectAllowed } from '#model/config/limits.ts'
import type { OperationStep } from '#model/config/operation.ts'
import { keyOf, showKey } from '#model/resource.ts'
import { targetOf } from '../work.ts'
import type { StepCall, StepKind, StepOutcome } from './step.ts'

type Patch = NonNullable<OperationStep['patch']>

const longestMs = 60_000

/** Sets fields of an object that is there, and of that very one: an apply, so that the same twice is the same, as a manager of the operation's own. */
export const patchStep: StepKind<'patch'> = {
  kind: 'patch',
  about: ({ target, kind, namespace, name }) => `${kind} ${namespace === '' ? name : `${namespace}/${name}`} at ${target}`,
  carryOut: async (call, patch): Promise<StepOutcome> => {
    const { place, signal } = call
    const own = AbortSignal.any([signal, AbortSignal.timeout(longestMs)])
    try {
      refuse(call, patch)
      const client = await place.parts.kubernetes(targetOf(place.environment, patch.target, `step ${call.row.name}`))
      return { state: 'done', message: await apply(call, client, patch, own) }
    } catch (error) {
      signal.throwIfAborted()
      const failure = own.aborted ? new Failure({ code: 'deadline-exceeded', subject: `step ${call.row.name}`, message: `the cluster did not answer within ${longestMs / 1000} s`, retry: 'later' }) : asFailure(error, `step ${call.row.name}`)
      if (failure.code === 'lease-lost' || failure.code === 'store-unavailable') throw failure
      return { state: 'failed', failure: failure.toJSON() }
    }
  },
}

function refuse({ place, owner, row }: StepCall, { apiVersion, kind, namespace, name }: Patch): void {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const key = keyOf({ group, kind, namespace, name })
  if (kind !== 'Secret' && objectAllowed(key, place.environment.metadata.name, owner.limits)) return
  throw new Failure({
    code: 'step-refused',
    subject: `step ${row.name}`,
    message: kind === 'Secret' ? 'no operation writes Secrets' : `repository ${owner.repository} may not have ${showKey(key)}`,
    hint: kind === 'Secret' ? 'Name their references in `secrets` of a module.' : `See \`spec.repositories.${owner.repository}.allow\` of the workspace.`,
  })
}

async function apply({ place, row }: StepCall, client: KubernetesClient, { apiVersion, kind, namespace, name, fields, force }: Patch, signal: AbortSignal): Promise<string> {
  const served = await client.kind(apiVersion, kind, signal)
  const before = served === undefined ? undefined : await client.get(served, namespace, name, signal)
  if (served === undefined || before === undefined) throw new Failure({ code: 'step-refused', subject: `step ${row.name}`, message: `there is no ${kind} ${namespace === '' ? name : `${namespace}/${name}`}`, hint: 'An operation makes no objects: deliver it with a module first.' })
  const { metadata, ...rest } = fields as JsonObject & { metadata?: JsonObject }
  const uid = String((before['metadata'] as JsonObject)['uid'])
  const body = { ...rest, apiVersion, kind, metadata: { ...metadata, name, ...(namespace === '' ? {} : { namespace }) } }
  await place.claim.assertLease()
  const { object } = await client.apply(served, body, { manager: `plumbline-operation-${place.run.operation?.name ?? ''}`, force, dryRun: false, uid }, signal)
  const changes = leafChanges(told(before), told(object))
  return changes.length === 0 ? 'it was so already' : changes.slice(0, mostTold).join('; ') + (changes.length > mostTold ? `; and ${changes.length - mostTold} more` : '')
}

const mostTold = 20

/** What of an object tells what an apply changed: not what the server counts up, nor what a controller makes of it meanwhile. */
function told({ status: _status, metadata, ...rest }: JsonObject): Json {
  const { labels = {}, annotations = {} } = metadata as JsonObject
  return { ...rest, metadata: { labels, annotations } }
}
