import { setImmediate as turn } from 'node:timers/promises'
import { FakeClock } from '#lib/clock.ts'
import { withCondition } from './conditions.ts'
import { timestamp, type Controller, type ControllerContext } from './controller.ts'
import { FakeObjects } from './fake-objects.ts'
import { pods, type ContainerStatus, type Pod } from './kinds.ts'
import { nodeOf } from './node-fit.ts'
import { typedObjects, type TypedObjects } from './typed-objects.ts'

/** For tests: controllers over `FakeObjects`, a clock that stands still, and pods that become what a test says. */
export class World {
  readonly clock = new FakeClock()
  readonly fake = new FakeObjects(() => this.clock.now())
  readonly objects: TypedObjects = typedObjects(this.fake)
  readonly log: string[] = []
  readonly context: ControllerContext = { objects: this.objects, clock: this.clock, log: (line) => void this.log.push(line) }
  #stops: (() => void)[] = []

  start(...controllers: Controller[]): void {
    this.#stops.push(...controllers.map((start) => start(this.context)))
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** Until no controller has anything left to write. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; ) {
      const before = this.fake.writes.length
      await turn()
      quiet = this.fake.writes.length === before ? quiet + 1 : 0
    }
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  pods(namespace = 'shop'): Pod[] {
    return this.objects.list(pods, namespace).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  }

  names(): string[] {
    return this.pods().map(({ metadata }) => metadata.name)
  }

  /** What a kubelet would write. */
  set(pod: Pod, phase: 'Running' | 'Succeeded' | 'Failed', readiness: 'ready' | 'unready' = 'ready'): void {
    this.objects.edit(pods, pod.metadata, 'object', 'kube-scheduler', (object) => void (object.spec.nodeName = nodeOf(object) ?? 'playground'))
    this.objects.edit(pods, pod.metadata, 'status', 'kubelet', (object) => {
      const time = timestamp(this.clock.now())
      const ready = phase === 'Running' && readiness === 'ready'
      const podIP = object.status?.podIP ?? `127.1.0.${this.fake.writes.length % 250}`
      const conditions = withCondition(object.status?.conditions, { type: 'Ready', status: ready ? 'True' : 'False' }, time)
      object.status = { ...object.status, phase, podIP, conditions, containerStatuses: phase === 'Running' ? [] : [ended(object, time)] }
    })
  }

  /** Every pod that has not ended runs and is ready; those that are leaving have left. */
  async runAll(): Promise<void> {
    for (let changed = true; changed; ) {
      await this.settle()
      const before = this.fake.writes.length
      for (const pod of this.pods()) {
        if (pod.metadata.deletionTimestamp !== undefined) this.objects.delete(pods, pod.metadata, 0)
        else if (pod.status?.phase === undefined) this.set(pod, 'Running')
      }
      changed = this.fake.writes.length !== before
    }
  }
}

function ended({ spec, status }: Pod, time: string): ContainerStatus {
  const terminated = { exitCode: status?.phase === 'Succeeded' ? 0 : 1, reason: 'Ended', startedAt: time, finishedAt: time, containerID: '' }
  return { name: spec.containers[0]?.name ?? '', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated }, lastState: {} }
}
