import { z } from 'zod'
import { stepKinds } from '../config/operation.ts'
import { roles } from '../principal.ts'
import { runStates } from '../run.ts'

/** A time: ISO 8601, UTC, milliseconds. */
const time = z.iso.datetime()
const json = z.unknown()

export const failureView = z.object({
  code: z.string(),
  subject: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  retry: z.enum(['never', 'now', 'later']),
  fields: z.record(z.string(), json).optional(),
}).meta({ id: 'Failure' })

export const commitView = z.object({
  repository: z.string(),
  sha: z.string(),
  author: z.object({ name: z.string(), email: z.string() }),
  at: time,
  subject: z.string(),
  trailers: z.record(z.string(), z.string()),
}).meta({ id: 'Commit' })

const decisionView = z.object({
  code: z.string(),
  outcome: z.enum(['allow', 'wait', 'refuse']),
  waitingFor: z.enum(['approval', 'environment', 'window', 'pause', 'person']).optional(),
  until: time.optional(),
  message: z.string(),
  hint: z.string().optional(),
  by: z.array(z.string()).optional(),
}).meta({ id: 'Decision' })

const sample = {
  signal: z.enum(['latency', 'reachability', 'count', 'diff', 'boolean']),
  target: z.string(),
  value: json.optional(),
  unit: z.string().optional(),
  threshold: z.string().optional(),
  verdict: z.enum(['passed', 'warned', 'failed', 'unknown']),
  message: z.string(),
  code: z.string().optional().describe('Where it could not be asked: the code of why.'),
  hint: z.string().optional().describe('And what helps.'),
  collectedAt: time,
  durationMs: z.number(),
}
export const sampleView = z
  .object({ ...sample, across: z.array(z.object(sample)).optional().describe('Where several targets were asked side by side, what each answered.') })
  .meta({ id: 'Sample' })

const flipView = z.object({ at: time, from: z.string(), to: z.string(), message: z.string() }).meta({ id: 'Flip', description: 'A probe’s verdict became another one.' })

const probeView = z.object({
  module: z.string().describe('`@environment` for a change as a whole.'),
  probe: z.string(),
  kind: z.string(),
  verdict: z.enum(['passed', 'warned', 'failed', 'unknown']),
  asked: z.number().describe('How often it was asked: not every sample is kept.'),
  samples: z.array(sampleView),
  before: sampleView.optional().describe('From right before the run’s first effect.'),
  window: z.object({ passed: z.number(), of: z.number(), needed: z.number() }).optional().describe('Of the last `of` samples so many had to pass, and so many did.'),
  flapping: z.array(flipView).optional().describe('Its verdict changes again and again: how, until now.'),
}).meta({ id: 'ProbeResult' })

export const changeView = z.object({
  path: z.string(),
  state: z.enum(['added', 'changed', 'removed', 'taken', 'yielded', 'held', 'contested']),
  from: json.optional(),
  to: json.optional(),
  owner: z.string().optional(),
  already: z.literal(true).optional().describe('The value is live already: nothing changes there but who owns it.'),
}).meta({ id: 'FieldChange' })

export const effectView = z.object({
  key: z.string(),
  action: z.enum(['created', 'configured', 'unchanged', 'deleted', 'skipped', 'unknown']),
  /** What became of it; absent while it has not begun. */
  outcome: z.string().optional(),
  changes: z.array(changeView),
  deferred: z.string().optional(),
  handedOverFrom: z.string().optional(),
  holdsState: z.boolean(),
  /** For a deleted namespace or definition: what in it holds data. */
  holdsData: z.array(z.string()).optional(),
  failure: failureView.optional(),
}).meta({ id: 'Effect' })

export const stepView = z.object({
  module: z.string(),
  dependsOn: z.array(z.string()),
  delivery: z.enum(['pending', 'delivering', 'delivered', 'failed', 'halted']),
  verification: z.enum(['pending', 'passed', 'warned', 'failed', 'unknown']),
  readinessOnly: z.boolean(),
  onFailure: z.enum(['continue', 'alert', 'halt', 'rollback']).optional().describe('Delivered, and its verification is not good: what that decided.'),
  failure: failureView.optional(),
  snapshot: z.string().optional().describe('Where it is held at another snapshot than the run’s.'),
  effects: z.array(effectView),
  /** What changes of how the module is proven, where something does. */
  proof: z.array(z.string()).optional(),
}).meta({ id: 'Step' })

const operationView = z
  .object({
    name: z.string(),
    from: z.string().nullable().describe('The step that it begins with, where a person says so.'),
    slot: time.nullable().describe('The time of the schedule that it is for.'),
    steps: z.array(
      z.object({
        name: z.string(),
        kind: z.enum([...stepKinds, 'pre', 'post']),
        state: z.enum(['pending', 'started', 'waiting', 'done', 'failed', 'unknown', 'skipped']),
        message: z.string().nullable(),
        failure: failureView.nullable(),
        probes: z.array(z.object({ probe: z.string(), kind: z.string(), verdict: z.enum(['passed', 'warned', 'failed', 'unknown']), asked: z.number(), samples: z.array(sampleView) })),
        startedAt: time.nullable(),
        endedAt: time.nullable(),
      }),
    ),
  })
  .meta({ id: 'RunOperation' })

export const operationsAnswer = z.object({
  operations: z.array(
    z
      .object({ name: z.string(), environment: z.string(), about: z.string(), steps: z.array(z.object({ name: z.string(), kind: z.enum(stepKinds), about: z.string() })), schedule: z.string().nullable(), nextAt: time.nullable(), last: z.object({ run: z.string(), state: z.enum(runStates) }).nullable() })
      .meta({ id: 'Operation' }),
  ),
})

export const planView = z.object({
  digest: z.string(),
  /** Effects by action. */
  summary: z.record(z.string(), z.number()),
}).meta({ id: 'PlanSummary' })

export const runView = z
  .object({
    id: z.string(),
    environment: z.string(),
    kind: z.enum(['change', 'deploy', 'verify', 'policy', 'prune', 'forget', 'revert', 'rollback', 'operation']),
    state: z.enum(runStates),
    /** With the state `waiting`: what holds it. */
    waiting: z.array(decisionView),
    actor: z.string(),
    reason: z.string(),
    ticket: z.string().nullable(),
    snapshot: z.string(),
    operation: operationView.optional().describe('With the kind `operation`: its steps, as they went.'),
    rollback: z.object({ of: z.string().nullable(), by: z.enum(['verdict', 'person']) }).optional().describe('With the kind `rollback`: what asked for it, and the run that is rolled back, where one was named.'),
    changes: z.array(commitView),
    plan: planView.nullable(),
    steps: z.array(stepView),
    probes: z.array(probeView),
    gates: z.array(decisionView),
    approvals: z.array(z.object({ principal: z.string(), reason: z.string(), objects: z.array(z.string()), at: time, planDigest: z.string() })),
    failure: failureView.nullable(),
    record: z.object({ seq: z.number(), digest: z.string() }).nullable(),
    createdAt: time,
    endedAt: time.nullable(),
  })
  .meta({ id: 'Run', description: 'A run: which commit by whom and why, what would change, what did change, what the probes saw.' })
export type RunView = z.output<typeof runView>

export const runsAnswer = z.object({ runs: z.array(runView) })

const causeView = z.object({ kind: z.enum(['run', 'finding', 'context', 'pause', 'policy']), id: z.string(), at: time, about: z.string() })

const probeStateView = z
  .object({
    probe: z.string(),
    kind: z.string(),
    verdict: z.enum(['passed', 'warned', 'failed', 'unknown']),
    onset: time.describe('Since when it is so: when the first sample of this verdict was collected.'),
    askedAt: time,
    lastBefore: time.nullable().describe('The last sample that told the verdict before.'),
    message: z.string(),
    code: z.string().optional().describe('Where it could not be asked: the code of why.'),
    hint: z.string().optional().describe('And what helps.'),
    causes: z.array(causeView).describe('What lies just before.'),
    flapping: z.boolean().describe('Its verdict changes again and again.'),
    quietSince: time.nullable().describe('Its verdict changed again and again, and since then no more: told for a day.'),
    history: z.array(flipView).describe('The newest changes of its verdict, in order.'),
  })
  .meta({ id: 'ProbeState' })

const pinView = z
  .object({ snapshot: z.string(), by: z.enum(['rollback', 'person']), actor: z.string(), reason: z.string(), ticket: z.string().nullable(), at: time, run: z.string().nullable() })
  .meta({ id: 'Pin', description: 'A rollback’s is lifted when Git says something else than what was rolled back; a person’s by a person.' })

const staleView = z.string().nullable().describe('Why its verification is `stale`: its time is over, something changed underneath, or a run is at work on it; null where it is not.')

export const moduleView = z.object({
  name: z.string(),
  repository: z.string(),
  track: z.string(),
  delivery: z.enum(['synced', 'behind', 'progressing', 'failed', 'unknown']),
  verification: z.enum(['passed', 'warned', 'failed', 'unknown', 'stale']),
  stale: staleView,
  readinessOnly: z.boolean(),
  run: z.string().nullable(),
  snapshot: z.string().nullable(),
  verifiedSince: time.nullable(),
  pinned: pinView.nullable().describe('It is held at an older snapshot, whatever Git says.'),
  since: time.describe('Since when its two facts are what they are.'),
  verifiedAt: time.nullable().describe('When it was last looked at.'),
  flapping: z.boolean().describe('At least one of its probes changes its verdict again and again.'),
  probes: z.array(probeStateView),
  findings: z.number().describe('How many findings of it are neither resolved nor accepted.'),
  adopting: z.number().describe('How many of these are on their way back to Git.'),
  reverting: z.number().describe('How many of these a run is to make as declared again.'),
  /** In one sentence: why it was not delivered as it should be, or what it waits for. */
  note: z.string().nullable(),
  failure: failureView.nullable(),
}).meta({ id: 'ModuleStatus' })

const repositoryView = z
  .object({ name: z.string(), url: z.string(), branch: z.string(), head: z.string().nullable(), checkedAt: time.nullable(), failure: failureView.nullable() })
  .meta({ id: 'Repository' })

export const watchView = z
  .object({
    environment: z.string(),
    target: z.string(),
    driver: z.string(),
    state: z.enum(['starting', 'watching', 'down', 'unwatched']).describe('`down`: nothing is heard of some of it. `unwatched`: no process watches it. Either way nobody knows of what happens there.'),
    since: time,
    objects: z.number().describe('How many are held.'),
    listedAt: time.nullable().describe('When all that there is was seen last.'),
    failure: failureView.nullable(),
  })
  .meta({ id: 'Watch', description: 'How the watch of a target stands.' })

const environmentView = z
  .object({
    name: z.string(),
    tier: z.string(),
    gone: z.boolean().describe('Git no longer has it: nothing is delivered there, and nothing is deleted by itself.'),
    holds: z.number().describe('How many objects the inventory holds there.'),
    verification: z.enum(['passed', 'warned', 'failed', 'unknown', 'stale']).nullable().describe('What the environment’s own probes, and those of its last change as a whole, say; null where it has none.'),
    stale: staleView,
    probes: z.array(probeStateView).describe('Of the environment itself; `change/…` of the last change as a whole.'),
    modules: z.array(moduleView),
    waiting: z.array(z.object({ run: z.string(), waitingFor: z.string(), message: z.string() })),
    pauses: z.array(z.object({ module: z.string().nullable(), reason: z.string(), by: z.string(), until: time })),
    watches: z.array(watchView),
    unpublished: failureView.nullable().describe('Why the newest head of its records could not be published; null where it could.'),
  })
  .meta({ id: 'EnvironmentStatus' })

export const statusView = z
  .object({
    workspace: z.string(),
    snapshot: z.string().nullable(),
    repositories: z.array(repositoryView).describe('None for a caller who may not look at every environment.'),
    problems: z.array(failureView).describe('None for a caller who may not look at every environment.'),
    environments: z.array(environmentView),
  })
  .meta({ id: 'Status', description: 'Every module in every environment: delivery and verification, two facts.' })
export type StatusView = z.output<typeof statusView>

export const planAnswer = z.object({
  environment: z.string(),
  snapshot: z.string(),
  plan: planView,
  steps: z.array(z.object({ module: z.string(), dependsOn: z.array(z.string()), effects: z.array(effectView), proof: z.array(z.string()).optional(), failure: failureView.optional() })),
  unknown: z.array(failureView),
  gates: z.array(decisionView),
  outcome: z.enum(['go', 'wait', 'refuse']),
})
export type PlanAnswer = z.output<typeof planAnswer>

const grantView = z.object({ role: z.enum(roles), environments: z.array(z.string()) }).meta({ id: 'Grant' })

export const principalView = z.object({ name: z.string(), emails: z.array(z.string()), grants: z.array(grantView) }).meta({ id: 'Principal' })
export const principalsAnswer = z.object({ principals: z.array(principalView) })

export const tokenAnswer = z.object({
  name: z.string(),
  token: z.string().describe('Shown once: only its digest is kept.'),
  expiresAt: time.nullable(),
  grants: z.array(grantView).describe('All that the principal may do now, and so what this token may.'),
  emails: z.array(z.string()),
})

const signature = z.object({ keyid: z.string(), sig: z.string() })

const envelope = z
  .object({ payloadType: z.string(), payload: z.string(), signatures: z.array(signature) })
  .meta({ id: 'Envelope', description: 'A DSSE envelope.' })

const chainView = z
  .object({
    environment: z.string(),
    size: z.number().describe('How many records the chain has, the pruned ones among them.'),
    start: z.object({ size: z.number(), head: z.string(), roots: z.array(z.string()) }).nullable().describe('What is left of the records that were pruned.'),
    rotations: z.array(z.object({ record: z.string(), checkpoint: envelope })).describe('Replacements of the key that are older than what was pruned.'),
    checkpoints: z.array(envelope),
    records: z.array(z.string()).describe('Each record as it was written: in-toto statements in JSON, in order, as many as fit a page.'),
    signatures: z.array(signature).optional().describe('With `sign=each`: of each of these records, in the same order.'),
  })
  .meta({ id: 'Chain' })

const verification = z.enum(['passed', 'warned', 'failed', 'unknown', 'stale'])

const momentView = z
  .object({
    at: time,
    environment: z.string(),
    kind: z.enum(['change', 'run', 'approval', 'verdict', 'finding', 'policy', 'context']),
    modules: z.array(z.string()).describe('None: all of the environment.'),
    text: z.string(),
    verdict: verification.nullable().describe('What the modules are found to be from here on, where it tells that.'),
    onset: time.nullable().describe('Since when it is so; earlier than `at`, when it was known.'),
    by: z.string().nullable(),
    ref: z.string().nullable().describe('The run, finding or commit.'),
    record: z.number().nullable().describe('The record’s number in its environment’s chain.'),
  })
  .meta({ id: 'Moment' })

export const timelineAnswer = z
  .object({
    since: time,
    until: time,
    standing: z.array(z.object({ environment: z.string(), module: z.string(), verdict: verification })).describe('What modules were found to be when it begins, by the newest 500 records of the 30 days before; a module that is looked at has one a day. What is in none of them is left out.'),
    moments: z.array(momentView),
    whole: z.boolean().describe('Whether nothing was left out: of very many records only the newest are told.'),
  })
  .meta({ id: 'Timeline' })

export const rotatedAnswer = z.object({ from: z.string(), to: z.string(), environments: z.array(z.string()) })
export const exportAnswer = z.object({ publicKey: z.string().describe('Ed25519, PEM.'), chains: z.array(chainView) })

export const problem = z.object({ error: failureView }).meta({ id: 'Problem' })

export const eventView = z
  .object({ seq: z.number(), at: time, kind: z.enum(['run', 'module', 'effect', 'status', 'pause', 'snapshot', 'repository', 'problems', 'record', 'verdict', 'finding', 'drift', 'watch', 'audit']), data: z.record(z.string(), json) })
  .meta({ id: 'Event' })
