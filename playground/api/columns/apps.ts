import { isObject } from '#lib/json.ts'
import { valueAt } from '../paths.ts'
import { age, duration } from './age.ts'
import type { Column } from './column.ts'
import { at, created, listAt, numberAt, selectorText, show, textAt, workload } from './read.ts'

const integer = (name: string, path: string): Column => at(name, path, 0, 0, 'integer')

/** The workloads of `apps` and `batch`. */
export const appsColumns: Readonly<Record<string, readonly Column[]>> = {
  'apps/Deployment': [
    show('Ready', (object) => `${numberAt(object, 'status.readyReplicas')}/${numberAt(object, 'spec.replicas')}`),
    at('Up-to-date', 'status.updatedReplicas', 0),
    at('Available', 'status.availableReplicas', 0),
    created,
    ...workload(),
  ],
  'apps/ReplicaSet': [
    integer('Desired', 'spec.replicas'),
    integer('Current', 'status.replicas'),
    integer('Ready', 'status.readyReplicas'),
    created,
    ...workload(),
  ],
  'apps/StatefulSet': [
    show('Ready', (object) => `${numberAt(object, 'status.readyReplicas')}/${numberAt(object, 'spec.replicas')}`),
    created,
    ...workload().slice(0, 2),
  ],
  'apps/DaemonSet': [
    integer('Desired', 'status.desiredNumberScheduled'),
    integer('Current', 'status.currentNumberScheduled'),
    integer('Ready', 'status.numberReady'),
    integer('Up-to-date', 'status.updatedNumberScheduled'),
    integer('Available', 'status.numberAvailable'),
    show('Node Selector', (object) => selectorText(valueAt(object, 'spec.template.spec.nodeSelector'))),
    created,
    ...workload(),
  ],
  'apps/ControllerRevision': [
    show('Controller', (object) => {
      const owner = listAt(object, 'metadata.ownerReferences').find((reference) => reference.controller === true)
      return owner === undefined ? '<none>' : `${String(owner.kind).toLowerCase()}.${String(owner.apiVersion).split('/')[0]}/${String(owner.name)}`
    }),
    at('Revision', 'revision', 0),
    created,
  ],
  'batch/Job': [
    show('Status', (object) => {
      const held = (type: string): boolean => listAt(object, 'status.conditions').some((condition) => condition.type === type && condition.status === 'True')
      if (held('Complete')) return 'Complete'
      if (held('Failed')) return 'Failed'
      if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
      return held('Suspended') ? 'Suspended' : 'Running'
    }),
    show('Completions', (object) => `${numberAt(object, 'status.succeeded')}/${numberAt(object, 'spec.completions') || 1}`),
    show('Duration', (object, now) => {
      const start = Date.parse(textAt(object, 'status.startTime'))
      if (Number.isNaN(start)) return ''
      const end = Date.parse(textAt(object, 'status.completionTime'))
      return duration((Number.isNaN(end) ? now : end) - start)
    }),
    created,
    ...workload(),
  ],
  'batch/CronJob': [
    at('Schedule', 'spec.schedule'),
    at('Timezone', 'spec.timeZone'),
    show('Suspend', (object) => (valueAt(object, 'spec.suspend') === true ? 'True' : 'False'), 0, 'boolean'),
    show('Active', (object) => listAt(object, 'status.active').length, 0, 'integer'),
    show('Last Schedule', (object, now) => {
      const last = valueAt(object, 'status.lastScheduleTime')
      return typeof last === 'string' ? age(last, now) : '<none>'
    }),
    created,
    show('Containers', (object) => listAt(object, 'spec.jobTemplate.spec.template.spec.containers').map((container) => container.name).join(','), 1),
    show('Images', (object) => listAt(object, 'spec.jobTemplate.spec.template.spec.containers').map((container) => container.image).join(','), 1),
    show('Selector', (object) => {
      const selector = valueAt(object, 'spec.jobTemplate.spec.selector')
      return isObject(selector) ? selectorText(selector) : '<none>'
    }, 1),
  ],
}
