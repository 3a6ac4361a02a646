import type { Clock } from '#lib/clock.ts'
import { timestamp } from '#playground/controllers/controller.ts'
import type { Container, ContainerState, ContainerStatus, Pod } from '#playground/controllers/kinds.ts'
import { BackOff } from './back-off.ts'
import { ContainerProcess, type Ended } from './container-process.ts'
import { watchHealth } from './container-health.ts'
import { CreateContainerConfigError } from './environment.ts'
import type { Image } from './images.ts'
import { LogBuffer } from './log-buffer.ts'
import type { Ask } from './probe.ts'
import type { ProcessGuard } from './process-guard.ts'

/** What a container needs of its pod. */
export type ContainerHost = {
  readonly clock: Clock
  readonly guard: Pick<ProcessGuard, 'watch'>
  pod(): Pod
  /** Undefined for what cannot be pulled. */
  findImage(reference: string): Image | undefined
  /** Environment, files and folder; throws `CreateContainerConfigError`. */
  prepare(container: Container, image: Image): Promise<{ env: Record<string, string>; cwd: string }>
  ask(spec: NonNullable<Container['readinessProbe']>, container: Container): Ask | undefined
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
  changed(): void
}

const retryMs = 5_000

/** One container through its life: pull, start, probe, end, and start again as the pod's restart policy says. */
export class ContainerRunner {
  readonly #host: ContainerHost
  readonly #name: string
  readonly #policy: 'Always' | 'OnFailure' | 'Never'
  readonly #restarts = new BackOff()
  readonly #pulls = new BackOff()
  readonly #over = new AbortController()
  #wake = new AbortController()
  #process: ContainerProcess | undefined
  #image = ''
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
  #lastState: ContainerState = {}
  #restartCount: number
  #ready = false
  #started = false
  #ranMs = 0
  log = new LogBuffer()
  previousLog: LogBuffer | undefined

  constructor(host: ContainerHost, name: string, policy: 'Always' | 'OnFailure' | 'Never', before: ContainerStatus | undefined) {
    this.#host = host
    this.#name = name
    this.#policy = policy
    this.#restartCount = before === undefined || before.state.waiting?.reason === 'ContainerCreating' ? 0 : before.restartCount + 1
  }

  /** Until it has ended for good, or is stopped. Resolves to its last exit code; undefined when it never ran. */
  async run(): Promise<number | undefined> {
    let last: number | undefined
    while (!this.#over.signal.aborted) {
      const image = await this.#pull()
      if (image === undefined) break
      const ended = await this.#once(image)
      if (ended === undefined) break
      last = ended.exitCode
      const replaced = this.#imageChanged()
      const again = !this.#over.signal.aborted && (replaced || this.#policy === 'Always' || (this.#policy === 'OnFailure' && last !== 0))
      if (!again) break
      if (!replaced) await this.#pause()
      else this.#restarts.reset()
      this.#restartCount += 1
    }
    return last
  }

  /** Looks again: a ConfigMap came, or the pod's image changed. */
  poke(): void {
    if (this.#process !== undefined && this.#imageChanged()) {
      this.#host.event('Normal', 'Killing', `Container ${this.#name} definition changed, will be restarted`)
      void this.#process.stop((this.#host.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000)
    }
    if (this.#state.waiting?.reason === 'CrashLoopBackOff' && !this.#imageChanged()) return
    this.#wake.abort(new Error('look again'))
    this.#wake = new AbortController()
  }

  async stop(graceMs: number): Promise<void> {
    this.#over.abort(new Error('the container is being stopped'))
    if (this.#process === undefined) return
    this.#host.event('Normal', 'Killing', `Stopping container ${this.#name}`)
    await this.#process.stop(graceMs)
  }

  kill(): void {
    this.#over.abort(new Error('the container is being killed'))
    this.#process?.kill()
  }

  status(): ContainerStatus {
    const image = this.#container()?.image ?? this.#image
    const running = this.#state.running !== undefined
    const id = running || this.#state.terminated !== undefined ? { containerID: `process://${this.#process?.pid ?? 0}` } : {}
    return {
      name: this.#name,
      state: this.#state,
      lastState: this.#lastState,
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restartCount,
      image,
      imageID: running ? `playground://${image}` : '',
      ...id,
    }
  }

  #container(): Container | undefined {
    const { containers, initContainers = [] } = this.#host.pod().spec
    return [...containers, ...initContainers].find(({ name }) => name === this.#name)
  }

  #imageChanged(): boolean {
    return this.#image !== '' && this.#container()?.image !== this.#image
  }

  #set(state: ContainerState): void {
    this.#state = state
    this.#host.changed()
  }

  /** Waits, but not longer than until something is poked or stopped. */
  async #sleep(ms: number): Promise<void> {
    await this.#host.clock.sleep(ms, AbortSignal.any([this.#over.signal, this.#wake.signal])).catch(() => {})
  }

  async #pull(): Promise<Image | undefined> {
    while (!this.#over.signal.aborted) {
      const reference = this.#container()?.image ?? ''
      const image = this.#host.findImage(reference)
      if (image !== undefined) {
        this.#pulls.reset()
        this.#image = reference
        return image
      }
      this.#image = reference
      this.#host.event('Normal', 'Pulling', `Pulling image "${reference}"`)
      const why = `failed to pull and unpack image "${reference}": failed to resolve reference "${reference}": ${reference}: not found`
      this.#host.event('Warning', 'Failed', `Failed to pull image "${reference}": ${why}`)
      this.#host.event('Warning', 'Failed', 'Error: ErrImagePull')
      this.#set({ waiting: { reason: 'ErrImagePull', message: why } })
      // ErrImagePull is shown for the moment of the attempt; while it waits for the next, ImagePullBackOff.
      const wait = this.#pulls.next(0) || 10_000
      this.#host.event('Normal', 'BackOff', `Back-off pulling image "${reference}"`)
      this.#host.event('Warning', 'Failed', 'Error: ImagePullBackOff')
      this.#set({ waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${reference}": ErrImagePull: ${why}` } })
      await this.#sleep(wait)
    }
    return undefined
  }

  /** One start and its end. `undefined` when it was stopped before it could start. */
  async #once(image: Image): Promise<Ended | undefined> {
    const prepared = await this.#prepare(image)
    const container = this.#container()
    if (prepared === undefined || container === undefined) return undefined
    const { clock } = this.#host
    this.previousLog = this.#restartCount > 0 ? this.log : undefined
    const log = (this.log = new LogBuffer())
    const args = [...(container.command ?? []), ...(container.args ?? [])]
    const output = (chunk: string): void => log.append(chunk, clock.now())
    const child = new ContainerProcess({ program: image.program, args, ...prepared, clock, output })
    this.#process = child
    const unguarded = child.pid === undefined ? undefined : this.#host.guard.watch(child.pid)
    const startedAt = clock.now()
    const health = new AbortController()
    this.#host.event('Normal', 'Pulled', `Container image "${container.image}" already present on machine`)
    this.#host.event('Normal', 'Created', `Created container: ${this.#name}`)
    this.#host.event('Normal', 'Started', `Started container ${this.#name}`)
    this.#state = { running: { startedAt: timestamp(startedAt) } }
    const probing = watchHealth({
      host: this.#host,
      container,
      signal: health.signal,
      show: (ready, started) => this.#show(ready, started),
      unhealthy: (graceMs) => void child.stop(graceMs),
    })
    const ended = await child.ended
    unguarded?.()
    health.abort(new Error('the container has ended'))
    await probing
    log.end(clock.now())
    this.#process = undefined
    this.#ready = false
    this.#started = false
    const finishedAt = timestamp(clock.now())
    const reason = ended.exitCode === 0 ? 'Completed' : 'Error'
    this.#set({ terminated: { ...ended, reason, startedAt: timestamp(startedAt), finishedAt, containerID: `process://${child.pid ?? 0}` } })
    this.#ranMs = clock.now() - startedAt
    return ended
  }

  #show(ready: boolean, started: boolean): void {
    this.#ready = ready
    this.#started = started
    this.#host.changed()
  }

  async #prepare(image: Image): Promise<{ env: Record<string, string>; cwd: string } | undefined> {
    const container = this.#container()
    if (container === undefined) return undefined
    while (!this.#over.signal.aborted) {
      try {
        return await this.#host.prepare(container, image)
      } catch (error) {
        if (!(error instanceof CreateContainerConfigError)) throw error
        this.#host.event('Warning', 'Failed', `Error: ${error.message}`)
        this.#set({ waiting: { reason: 'CreateContainerConfigError', message: error.message } })
        await this.#sleep(retryMs)
      }
    }
    return undefined
  }

  async #pause(): Promise<void> {
    const wait = this.#restarts.next(this.#ranMs)
    this.#lastState = this.#state
    if (wait === 0) return
    const { name, namespace, uid } = this.#host.pod().metadata
    const message = `back-off ${wait / 1000}s restarting failed container=${this.#name} pod=${name}_${namespace}(${uid})`
    this.#host.event('Warning', 'BackOff', `Back-off restarting failed container ${this.#name} in pod ${name}_${namespace}(${uid})`)
    this.#set({ waiting: { reason: 'CrashLoopBackOff', message } })
    await this.#sleep(wait)
  }
}
