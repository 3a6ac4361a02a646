import { digestOf } from '#lib/digest.ts'
import { StillAsking } from '#playground/contract.ts'
import { timestamp, type ControllerContext } from './controller.ts'
import { events, type Metadata } from './kinds.ts'

export type Happening = {
  readonly about: { readonly apiVersion: string; readonly kind: string; readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'uid'> }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly component: string
}

/**
 * Writes an Event, or counts the one that says the same. An Event is news, not state: where it cannot be written (its namespace is being
 * deleted), the line goes to the log and the work goes on.
 */
export function recordEvent({ objects, clock, log }: ControllerContext, happening: Happening): void {
  const { about, type, reason, message, component } = happening
  const { name: of, uid } = about.metadata
  const namespace = about.metadata.namespace || 'default'
  const name = `${of}.${digestOf([uid, reason, message, component]).slice(7, 23)}`
  const time = timestamp(clock.now())
  try {
    const counted = objects.edit(events, { namespace, name }, 'object', component, (event) => {
      event['count'] = (typeof event['count'] === 'number' ? event['count'] : 1) + 1
      event['lastTimestamp'] = time
    })
    if (counted !== undefined) return
    const involvedObject = { apiVersion: about.apiVersion, kind: about.kind, name: of, namespace: about.metadata.namespace, uid }
    const source = { component }
    const event = { metadata: { namespace, name }, involvedObject, type, reason, message, source, count: 1, firstTimestamp: time, lastTimestamp: time }
    objects.create(events, { ...event, reportingComponent: component, reportingInstance: '' }, component)
  } catch (error) {
    if (error instanceof StillAsking) return
    log(`event ${reason} about ${about.kind} ${namespace}/${of} was not written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
