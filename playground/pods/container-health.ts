import type { Container } from '#playground/controllers/kinds.ts'
import type { ContainerHost } from './container-runner.ts'
import { runProbe, type ProbeKind } from './probe.ts'

type Health = {
  readonly host: ContainerHost
  readonly container: Container
  readonly signal: AbortSignal
  readonly show: (ready: boolean, started: boolean) => void
  /** Liveness or startup has failed for good: the container is to end within `graceMs`. */
  readonly unhealthy: (graceMs: number) => void
}

/** Startup first; once it has passed, readiness and liveness side by side, until the signal. Without a probe, running is ready. */
export async function watchHealth({ host, container, signal, show, unhealthy }: Health): Promise<void> {
  const restart = (kind: ProbeKind): void => {
    host.event('Normal', 'Killing', `Container ${container.name} failed ${kind.toLowerCase()} probe, will be restarted`)
    unhealthy((host.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000)
  }
  const probe = async (kind: ProbeKind, spec: Container['readinessProbe'], decided: (passing: boolean) => void): Promise<void> => {
    if (spec === undefined) return decided(true)
    const ask = host.ask(spec, container)
    if (ask === undefined) {
      host.event('Warning', 'Unhealthy', `${kind} probe cannot be asked: the playground knows httpGet and tcpSocket only; use one of them`)
      return
    }
    const failed = (why: string): void => host.event('Warning', 'Unhealthy', `${kind} probe failed: ${why}`)
    await runProbe({ spec, kind, ask, clock: host.clock, signal, failed, decided: (verdict) => decided(verdict === 'passing') }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
  let started = false
  show(false, container.startupProbe === undefined)
  await probe('Startup', container.startupProbe, (passing) => {
    if (passing) started = true
    else restart('Startup')
  })
  if (!started || signal.aborted) return
  show(false, true)
  await Promise.all([
    probe('Readiness', container.readinessProbe, (passing) => show(passing, true)),
    container.livenessProbe === undefined
      ? undefined
      : probe('Liveness', container.livenessProbe, (passing) => {
          if (!passing) restart('Liveness')
        }),
  ])
}
