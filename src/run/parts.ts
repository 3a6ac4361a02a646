import type { EnsurePullRequest } from '#clients/forge/pull-request.ts'
import type { httpRequest } from '#clients/http/request.ts'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import type { WithSql } from '#clients/sql-session.ts'
import type { Driver } from '#drivers/driver.ts'
import type { Clock } from '#lib/clock.ts'
import type { Redactor } from '#lib/redact.ts'
import type { TargetConfig } from '#model/config/environment.ts'
import type { Probe, ProbeCapabilities } from '#probes/probe.ts'
import type { Signer } from '#record/dsse.ts'
import type { RenderCache } from '#render/cache.ts'
import type { RenderTools } from '#render/tools.ts'
import type { ResolveSecret } from '#secrets/provider.ts'
import type { Sql } from '#store/sql.ts'
import type { Configurations } from './configuration.ts'
import type { Histogram } from './metrics/histogram.ts'
import type { Repositories } from './repositories.ts'
import type { NextKey } from './rotate-key.ts'
import type { Tracer } from './telemetry/tracer.ts'
import type { Turns } from './turns.ts'

/** All that the path needs of the world, handed in by `main.ts`. */
export type Parts = {
  readonly sql: Sql
  readonly clock: Clock
  readonly repositories: Repositories
  /** Of those who probe: at most one at a time asks a target. */
  readonly turns: Turns
  readonly configurations: Configurations
  readonly renderCache: RenderCache
  readonly tools: RenderTools
  readonly drivers: readonly Driver[]
  readonly probes: readonly Probe<unknown>[]
  /** How long the samples of these probes took, since this process began. */
  readonly probeTimes: Pick<Histogram, 'series'>
  /** The client of a target; opened once and kept. Failure `target-unreachable`, `context-unknown`. */
  readonly kubernetes: (target: TargetConfig) => Promise<KubernetesClient>
  readonly pullRequest: EnsurePullRequest
  /** One HTTP request, to addresses that were resolved before. */
  readonly http: typeof httpRequest
  /** A session on a PostgreSQL or MySQL database, told apart by its URL. */
  readonly withSql: WithSql
  readonly cel: ProbeCapabilities['cel']
  readonly resolve: (host: string, signal: AbortSignal) => Promise<string[]>
  readonly resolveSecret: ResolveSecret
  /** Of the secrets that this process has seen: every edge where something leaves it asks it. */
  readonly redactor: Pick<Redactor, 'add' | 'redact'>
  /** A keyed digest: equal for equal values, and useless to who does not have the key. */
  readonly secretDigest: (value: string) => string
  /** The secret of webhooks that name their repository in the body (our own hook): the installation's. */
  readonly webhookSecret: string
  /** Signs records; another one after `rotateKey`. */
  readonly signer: Signer
  readonly nextKey: NextKey
  /** Publishes a checkpoint's head beside the store. Failures are those of a push. */
  readonly publish: (environment: string, head: { size: number; root: string; head: string }) => Promise<void>
  /** Spans around the steps of runs, where the operator asks for them. */
  readonly tracer?: Tracer
  readonly log: (line: string) => void
}
