import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { versionInfo } from '#playground/api/version.ts'
import { keyOf, timestamp } from '#playground/controllers/controller.ts'
import { withCondition } from '#playground/controllers/conditions.ts'
import { claims, configMaps, nodes, pods, secrets, type Condition, type Pod } from '#playground/controllers/kinds.ts'
import { isFinished, isLeaving } from '#playground/controllers/pods-of.ts'
import type { TypedEvent } from '#playground/controllers/typed-objects.ts'
import type { LogBuffer } from './log-buffer.ts'
import { PodWorker, type KubeletContext } from './pod-worker.ts'
import { ProcessGuard } from './process-guard.ts'
import { schedule } from './scheduler.ts'

export type Kubelet = {
  /** A container's log, of its present or its previous run; the only container where none is named. */
  log(namespace: string, pod: string, container?: string, run?: 'present' | 'previous'): LogBuffer | undefined
  /** Something that pods may wait for has changed: they look again. */
  poke(): void
  /** Ends every process; the objects stay, and are started again by the next kubelet. */
  stop(): Promise<void>
}

const haltGraceMs = 1_000

/** The one node that runs pods, as processes, and the scheduler. */
export function startKubelet(context: KubeletContext): Kubelet {
  const { objects } = context
  const workers = new Map<string, PodWorker>()
  const leaving = new Set<Promise<void>>()
  const guard = new ProcessGuard()
  rmSync(join(context.dir, 'pods'), { recursive: true, force: true }) // of processes that a crash ended
  registerNode(context)
  let poked: NodeJS.Immediate | undefined
  const poke = (): void => {
    poked ??= setImmediate(() => {
      poked = undefined
      for (const worker of workers.values()) worker.poke()
    })
  }
  const drop = (uid: string): void => {
    const gone = workers.get(uid)?.halt(haltGraceMs)
    workers.delete(uid)
    if (gone === undefined) return
    leaving.add(gone)
    void gone.finally(() => leaving.delete(gone))
  }
  const see = ({ type, object: pod }: TypedEvent<Pod>): unknown => {
      const { uid } = pod.metadata
      if (type === 'DELETED') return drop(uid)
      const worker = workers.get(uid)
      if (worker !== undefined) return worker.update(pod)
      if (pod.spec.nodeName === undefined && !isLeaving(pod)) return schedule(context, pod)
      if (pod.spec.nodeName !== context.nodeName) return undefined
      if (isLeaving(pod)) return objects.delete(pods, pod.metadata, 0) // its processes ended with the last kubelet
      if (!isFinished(pod)) workers.set(uid, new PodWorker(context, guard, pod))
      return undefined
  }
  // Seen on a turn of its own, in order: what is done about a pod writes objects, and a watch tells while another write is under way.
  let inbox: TypedEvent<Pod>[] = []
  const seeAll = (): void => {
    const seen = inbox
    inbox = []
    for (const event of seen) {
      try {
        see(event)
      } catch (error) {
        context.log(`kubelet: ${keyOf(event.object.metadata)}: ${String(error)}`)
      }
    }
  }
  const take = (event: TypedEvent<Pod>): void => {
    if (inbox.push(event) === 1) setImmediate(seeAll)
  }
  const again = (where: (pod: Pod) => boolean): void => {
    for (const pod of objects.list(pods)) if (pod.spec.nodeName === undefined && where(pod)) take({ type: 'MODIFIED', object: pod })
  }
  const ends = [
    objects.watch(pods, take),
    objects.watch(configMaps, poke),
    objects.watch(secrets, poke),
    objects.watch(claims, () => {
      poke()
      again(({ spec }) => spec.volumes !== undefined)
    }),
    objects.watch(nodes, () => again(() => true)),
  ]
  seeAll() // what ran before this start does not run now: their statuses say so before anybody asks
  return {
    log: (namespace, name, container, run = 'present') => {
      const pod = objects.get(pods, namespace, name)
      const worker = pod === undefined ? undefined : workers.get(pod.metadata.uid)
      const runner = worker?.runner(container ?? pod?.spec.containers[0]?.name ?? '')
      return run === 'present' ? runner?.log : runner?.previousLog
    },
    poke,
    stop: async () => {
      for (const end of ends) end()
      inbox = []
      await Promise.all([...workers.values()].map((worker) => worker.halt(haltGraceMs)))
      await Promise.all(leaving)
      guard.stop()
    },
  }
}

function registerNode({ objects, nodeName, addresses, clock }: KubeletContext): void {
  const labels = { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': process.platform, 'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch }
  if (objects.get(nodes, '', nodeName) === undefined) objects.create(nodes, { metadata: { name: nodeName, labels }, spec: {} }, 'kubelet')
  const time = timestamp(clock.now())
  objects.edit(nodes, { name: nodeName }, 'status', 'kubelet', (node) => {
    const ready: Condition = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', lastTransitionTime: time }
    const room = { cpu: '2', memory: '2Gi', pods: '110', 'ephemeral-storage': '10Gi' }
    node.status = {
      ...node.status,
      capacity: room,
      allocatable: room,
      addresses: [
        { type: 'InternalIP', address: addresses.nodeIp },
        { type: 'Hostname', address: nodeName },
      ],
      conditions: withCondition(node.status?.conditions, ready, time),
      nodeInfo: {
        architecture: labels['kubernetes.io/arch'],
        operatingSystem: process.platform,
        kubeletVersion: versionInfo.gitVersion,
        containerRuntimeVersion: `process://node-${process.versions.node}`,
        osImage: 'Plumbline playground: pods are processes of this machine',
        kernelVersion: '',
        bootID: '',
        machineID: '',
        systemUUID: '',
        kubeProxyVersion: '',
      },
    }
  })
}
