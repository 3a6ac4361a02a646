import { join } from 'node:path'
import { timestamp, type ControllerContext } from '#playground/controllers/controller.ts'
import { pods, type Container, type Pod } from '#playground/controllers/kinds.ts'
import { recordEvent } from '#playground/controllers/record-event.ts'
import type { Addresses } from '#playground/network/addresses.ts'
import { ContainerRunner, type ContainerHost } from './container-runner.ts'
import { environmentOf } from './environment.ts'
import type { ImageRegistry } from './image-registry.ts'
import type { Image } from './images.ts'
import { podStatus } from './pod-status.ts'
import { askOf } from './probe.ts'
import type { ProcessGuard } from './process-guard.ts'
import { PodVolumes } from './volumes.ts'

export type KubeletContext = ControllerContext & {
  readonly addresses: Addresses
  readonly nodeName: string
  readonly images: ImageRegistry
  /** Private folders of pods. */
  readonly dir: string
  /** Node's compile cache for their programs: a pod that is not the first of its program starts in half the time, and smaller. */
  readonly compileCache: string
  /** Where a claim's data is; undefined while it is not bound. */
  readonly claimDir: (namespace: string, name: string) => string | undefined
}

/** One pod on this node, from its first process to its last. */
export class PodWorker implements ContainerHost {
  readonly clock: KubeletContext['clock']
  readonly guard: ProcessGuard
  readonly #context: KubeletContext
  readonly #volumes: PodVolumes
  readonly #init: readonly ContainerRunner[]
  readonly #containers: readonly ContainerRunner[]
  readonly #done: Promise<void>
  #pod: Pod
  #podIp: string | undefined
  #writing: NodeJS.Immediate | undefined
  #ending = false
  #halted = false

  constructor(context: KubeletContext, guard: ProcessGuard, pod: Pod) {
    this.clock = context.clock
    this.guard = guard
    this.#context = context
    this.#pod = pod
    this.#volumes = new PodVolumes(context.objects, join(context.dir, 'pods', pod.metadata.uid), context.claimDir)
    const policy = pod.spec.restartPolicy ?? 'Always'
    const before = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    const runner = (container: Container, restarts: 'Always' | 'OnFailure' | 'Never'): ContainerRunner =>
      new ContainerRunner(this, container.name, restarts, before.find(({ name }) => name === container.name))
    this.#init = (pod.spec.initContainers ?? []).map((container) => runner(container, policy === 'Never' ? 'Never' : 'OnFailure'))
    this.#containers = pod.spec.containers.map((container) => runner(container, policy))
    this.#podIp = context.addresses.claimPodIp()
    this.#write()
    this.#done = this.#run().catch((error: unknown) => context.log(`pod ${pod.metadata.namespace}/${pod.metadata.name}: ${String(error)}`))
  }

  pod(): Pod {
    return this.#pod
  }

  update(pod: Pod): void {
    const images = (of: Pod): string => of.spec.containers.map(({ image }) => image).join(' ')
    const changed = images(pod) !== images(this.#pod)
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) return void this.#end()
    if (changed) this.poke()
  }

  /** Something that it may wait for has changed. */
  poke(): void {
    if (this.#ending) return
    try {
      this.#volumes.prepare(this.#pod)
    } catch {
      // still missing: whoever waits says so
    }
    for (const runner of [...this.#init, ...this.#containers]) runner.poke()
  }

  runner(container: string): ContainerRunner | undefined {
    const index = this.#pod.spec.containers.findIndex(({ name }) => name === container)
    const init = this.#pod.spec.initContainers?.findIndex(({ name }) => name === container) ?? -1
    return this.#containers[index] ?? this.#init[init]
  }

  /** The object is gone, or the node goes down: ends all at once and writes nothing more. */
  async halt(graceMs: number): Promise<void> {
    this.#halted = true
    clearImmediate(this.#writing)
    await Promise.all([...this.#init, ...this.#containers].map((runner) => runner.stop(graceMs)))
    await this.#done
    this.#cleanUp()
  }

  // What its containers ask of it.

  findImage(reference: string): Image | undefined {
    return this.#context.images.find(reference)
  }

  async prepare(container: Container, image: Image): Promise<{ env: Record<string, string>; cwd: string }> {
    const { addresses, nodeName, objects, compileCache } = this.#context
    const podIp = this.#podIp ?? ''
    this.#volumes.prepare(this.#pod)
    const cwd = this.#volumes.rootOf(this.#pod, container)
    const own = environmentOf(objects, this.#pod, container, { podIp, nodeIp: addresses.nodeIp, nodeName })
    const { host, port } = await addresses.reach(podIp, container.ports?.[0]?.containerPort ?? 8080)
    const given = { HOSTNAME: this.#pod.metadata.name, PLAYGROUND_ROOT: cwd, PLAYGROUND_HOST: host, PLAYGROUND_PORT: String(port) }
    return { env: { ...image.env, ...own, ...given, NODE_COMPILE_CACHE: compileCache }, cwd }
  }

  ask(spec: NonNullable<Container['readinessProbe']>, container: Container): ReturnType<typeof askOf> {
    return askOf(spec, container, this.#podIp ?? '', this.#context.addresses)
  }

  event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#halted) return
    recordEvent(this.#context, { about: this.#pod, type, reason, message, component: 'kubelet' })
  }

  changed(): void {
    if (this.#halted) return
    this.#writing ??= setImmediate(() => this.#write())
  }

  async #run(): Promise<void> {
    for (const runner of this.#init) {
      const code = await runner.run()
      if (code !== 0) return
    }
    await Promise.all(this.#containers.map((runner) => runner.run()))
  }

  #write(): void {
    clearImmediate(this.#writing)
    this.#writing = undefined
    if (this.#halted) return
    const { objects, addresses, log } = this.#context
    const waits = this.#init.length > 0 && this.#init.some((runner) => runner.status().state.terminated?.exitCode !== 0)
    try {
      objects.edit(pods, this.#pod.metadata, 'status', 'kubelet', (object) => {
        if (object.metadata.uid !== this.#pod.metadata.uid) return
        const containers = this.#containers.map((runner) => {
          const status = runner.status()
          return waits ? { ...status, state: { waiting: { reason: 'PodInitializing' } } } : status
        })
        const initContainers = this.#init.map((runner) => runner.status())
        const time = timestamp(this.clock.now())
        object.status = podStatus(object, object.status, { podIp: this.#podIp, nodeIp: addresses.nodeIp, time, initContainers, containers })
      })
    } catch (error) {
      log(`kubelet: status of ${this.#pod.metadata.namespace}/${this.#pod.metadata.name}: ${String(error)}`)
    }
  }

  /** Graceful: SIGTERM, the grace period, SIGKILL; then the last status, and the object goes. */
  async #end(): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    const graceMs = (this.#pod.metadata.deletionGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
    await Promise.all([...this.#init, ...this.#containers].map((runner) => runner.stop(graceMs)))
    await this.#done
    if (this.#halted) return
    this.#write()
    this.#halted = true
    this.#cleanUp()
    const { name, namespace, uid } = this.#pod.metadata
    try {
      this.#context.objects.delete(pods, { name, namespace, uid }, 0)
    } catch (error) {
      this.#context.log(`kubelet: ${namespace}/${name} has ended but was not deleted: ${String(error)}`)
    }
  }

  #cleanUp(): void {
    if (this.#podIp !== undefined) this.#context.addresses.releasePodIp(this.#podIp)
    this.#podIp = undefined
    this.#volumes.remove()
  }
}

