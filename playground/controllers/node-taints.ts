import { conditionOf } from './conditions.ts'
import { controllerOf, manager, timestamp, type ControllerContext } from './controller.ts'
import { nodes, type NodeObject, type Taint } from './kinds.ts'
import { cordonTaint } from './node-fit.ts'

/** Taints a node that is cordoned or not ready, and takes these taints away again. Source: kubernetes `pkg/controller/nodelifecycle`. */
export const nodeTaintsController = controllerOf('node-taints', (context) => ({
  reconcile: (name) => reconcile(context, name),
  watches: (queue) => [context.objects.watch(nodes, ({ object }) => queue.add(object.metadata.name))],
}))

const own: readonly (Taint & { readonly holds: (node: NodeObject) => boolean })[] = [
  { ...cordonTaint, holds: ({ spec }) => spec.unschedulable === true },
  { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', holds: ({ status }) => conditionOf(status?.conditions, 'Ready')?.status !== 'True' },
]

function reconcile({ objects, clock }: ControllerContext, name: string): undefined {
  objects.edit(nodes, { name }, 'object', manager, (node) => {
    let taints = node.spec.taints ?? []
    for (const { holds, ...taint } of own) {
      const isThis = ({ key, effect }: Taint): boolean => key === taint.key && effect === taint.effect
      if (!holds(node)) taints = taints.filter((each) => !isThis(each))
      else if (!taints.some(isThis)) taints = [...taints, { ...taint, timeAdded: timestamp(clock.now()) }]
    }
    if (taints.length > 0) node.spec.taints = taints
    else delete node.spec.taints
  })
}
