import type { z } from 'zod'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import type { Clock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'

/** Where a probe may aim, decided by the environment: every probe dials through it. */
export type Reach = {
  /**
   * The address of that name, with `${environment}` and variables already substituted: a URL or `host:port`.
   * Failure `probe-out-of-reach` where the environment does not list it, `address-unknown` where there is none.
   */
  address(name: string): string
  /** All the addresses that `address` would give: a URL that a probe names itself must lead to one of them. */
  addresses(): readonly string[]
  /**
   * Resolves a host to the addresses that may be dialled. Failure `probe-out-of-reach` for link-local and metadata addresses,
   * `dns-not-found`, `dns-failed`.
   */
  resolve(host: string, signal: AbortSignal): Promise<string[]>
}

/** Where a probe's command runs as a Job: as the environment says. */
export type JobPlace = {
  readonly client: Pick<KubernetesClient, 'kind' | 'get' | 'apply' | 'delete' | 'watch' | 'logs'>
  readonly namespace: string
  readonly serviceAccount: string
  /** Whose probe it is, by environment and module: two that ask the same have Jobs of their own. */
  readonly owner: string
  /**
   * Where a step of a run has it carried out, once: a Job that nobody removes (`finds`: of which none is made), so that whoever takes the run up again reads
   * how it ended. The cluster ends it after `timeoutMs`.
   */
  readonly step?: { readonly begin: 'makes' | 'finds'; readonly timeoutMs: number }
}

/** A program that the operator lets probes run on the control plane's machine. */
export type HostProgram = { readonly argv: readonly [string, ...string[]]; /** Its whole environment. */ readonly env: Readonly<Record<string, string>>; /** How long it may run, where that is not as for any probe. */ readonly longestMs?: number }

export type ProbeCapabilities = {
  readonly reach: Reach
  /** The client of a Kubernetes target, by the target's name (within `reach`). */
  readonly kubernetes: (target: string) => Promise<KubernetesClient>
  /** The connection URL of a SQL target, resolved for this call alone. */
  readonly sqlUrl: (target: string) => Promise<string>
  /** The value of a secret, by its reference, for this call alone: of those that the repository may name. */
  readonly secret: (reference: string) => Promise<string>
  /** Where Jobs of an image may run for probes, at a Kubernetes target that the environment gives a place for them. Failure `probe-out-of-reach` for any other. */
  readonly jobs: (target: string, image: string) => Promise<JobPlace>
  /** A command of a host target's allow-list, with arguments where it takes any. Failure `probe-out-of-reach` for any other. */
  readonly hostProgram: (target: string, command: string, args: readonly string[]) => Promise<HostProgram>
  /** CEL, evaluated apart, with a time limit. */
  readonly cel: (expression: string, variables: Readonly<Record<string, unknown>>) => Promise<unknown>
}
export type ProbeCapability = keyof ProbeCapabilities

export type ProbeCall<Needs extends ProbeCapability = ProbeCapability> = {
  readonly clients: Pick<ProbeCapabilities, Needs>
  readonly clock: Clock
  /** Ends at the probe's `timeout`. */
  readonly signal: AbortSignal
}

/**
 * A check of the real system. One folder, one plain object, in `registry.ts`, each with a README and a run of `conformance.ts`.
 * `sample` never throws for what it meets: what could not be asked is a sample with the verdict `unknown`, what answered wrongly is `failed`.
 * Repeating (`within`, `every`) is the caller's.
 */
export type Probe<Config = never, Needs extends ProbeCapability = ProbeCapability> = {
  readonly kind: string
  readonly needs: readonly Needs[]
  readonly schema: z.ZodType<Config>
  sample(call: ProbeCall<Needs>, config: Config): Promise<Sample>
}
