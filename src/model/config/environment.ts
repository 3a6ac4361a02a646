import { z } from 'zod'
import { onFailure } from '../on-failure.ts'
import { apiVersion, driftPolicyByCause, duration, glob, name, period, secretRef, uniqueNames } from './parts.ts'
import { notify } from './notify.ts'
import { probeSchema } from './probe.ts'

/** An absolute path, so that no search path decides what runs. */
const program = z.array(z.string().min(1).max(1_000)).min(1).max(50).refine(([first]) => first?.startsWith('/') === true, 'expected an absolute path first')

const hostCommand = z.strictObject({
  argv: program.describe('The program, by its absolute path, and what it is always given.'),
  arguments: z.enum(['refused', 'allowed']).default('refused').describe('Whether a probe may add arguments of its own.'),
  env: z.record(z.string(), z.string().max(10_000)).default({}).describe('Its whole environment: nothing is inherited.'),
})

const audit = z
  .union([
    z.strictObject({ file: z.string().regex(/^\//, 'expected an absolute path').describe('The log’s file, on the machine of the control plane.') }),
    z.strictObject({ webhook: secretRef.describe('The bearer token that the API server sends, to `POST /v1/audit/<environment>/<target>`.') }),
  ])
  .describe('Where the API server’s audit log (`audit.k8s.io/v1`) is told: it names the person behind a drift, also where a field or an object is gone.')

const target = z.union([
  z.strictObject({
    kubernetes: z
      .strictObject({
        context: z.string().min(1).describe('A context of the kubeconfig that the control plane was started with.'),
        jobs: z
          .strictObject({
            namespace: name.describe('The namespace that they run in.'),
            serviceAccount: z.string().min(1).max(253).describe('The service account that they run as: what it may do, a probe’s command may do.'),
            images: z.array(glob).default([]).describe('The images that they may be of, by glob.'),
          })
          .optional()
          .describe('Where the commands of probes run, as Jobs. Without it none do.'),
        audit: audit.optional(),
      })
      .describe('A Kubernetes cluster.'),
  }),
  z.strictObject({ postgres: z.strictObject({ url: secretRef.describe('The connection URL: `postgres://…`.') }).describe('A PostgreSQL database.') }),
  z.strictObject({ mysql: z.strictObject({ url: secretRef.describe('The connection URL: `mysql://…`.') }).describe('A MySQL or MariaDB database.') }),
  z.strictObject({
    host: z
      .strictObject({ commands: z.record(name, hostCommand).describe('The programs that probes may have run there, by the names that they use.') })
      .describe('The machine that the control plane runs on.'),
  }),
])
export type TargetConfig = z.output<typeof target>

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as 22:00')

const quietWindow = z.strictObject({
  days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).min(1).optional().describe('On which days it begins; every day, if left out.'),
  from: time.describe('When it begins: `22:00`.'),
  to: time.describe('When it ends; the next day, where that is not after `from`.'),
  zone: z.string().refine(isTimeZone, 'expected a time zone such as Europe/Berlin').default('UTC').describe('The time zone of both.'),
})

const drift = z
  .strictObject({
    ...driftPolicyByCause,
    quiet: z.array(quietWindow).default([]).describe('When nobody is told of findings: they are told when it is over.'),
    adopt: z
      .strictObject({
        push: z.enum(['branch', 'deployed']).default('branch').describe('Where commits that adopt a drift go: to a branch of their own; or (`deployed`, sandboxes only) to the very branch that is followed.'),
        within: duration.prefault('7d').describe('How long it may take until such a commit is delivered.'),
      })
      .prefault({})
      .describe('How reality is written back to Git.'),
    digest: duration.prefault('10m').describe('How often people are told of findings at most: what there is by then is told at once.'),
  })
  .prefault({})

/** The schema of an Environment for the probe kinds that are there. */
export function environmentSchema(probes: Readonly<Record<string, z.ZodType>>) {
  const probe = z.array(probeSchema(probes)).superRefine(uniqueNames).default([])
  return z
    .strictObject({
      apiVersion,
      kind: z.literal('Environment'),
      metadata: z.strictObject({ name: name.describe('Unique in the workspace. `${environment}` stands for it.') }),
      spec: z.strictObject({
        tier: z.enum(['sandbox', 'staging', 'production']).describe('How careful to be.'),
        addresses: z.record(name, z.string().min(1)).default({}).describe('Names that probes use, and where they lead (`http://…`, `host:port`).'),
        reach: z.array(name).default([]).describe('The addresses and targets that a tenant’s probe may reach: nothing else.'),
        targets: z.record(name, target).describe('What can be delivered to.'),
        variables: z.record(name, z.string()).default({}).describe('Values for `${name}` in `source.path` and in probes.'),
        deliver: z
          .strictObject({
            automatic: z.boolean().default(false).describe('Deliver by itself; otherwise a person starts it (`plumb deploy`).'),
            after: z
              .strictObject({
                environment: name.describe('Where the same change must be delivered and verified first.'),
                verifiedFor: duration.prefault('0s').describe('For how long it must have been verified there.'),
              })
              .optional()
              .describe('Another environment goes first.'),
          })
          .prefault({})
          .describe('How changes get here.'),
        probes: probe.describe('What shows that the environment itself works, beside its modules. They go on at `verifyEvery`.'),
        changeProbes: probe.describe('What shows that a change as a whole works: asked when all modules of a run are delivered. One that fails fails the run, and goes on until it passes.'),
        onFailure: onFailure.default('halt').describe('What a verification that fails, or is not known, decides about what depends on the module: `halt` (it waits), `continue`, `alert` (continue, and tell people), `rollback` (it waits, and the module goes back to what was delivered and verified last; not for what is only unknown, not where data would be deleted, and once for one thing that Git says).'),
        verifyEvery: period.prefault('5m').describe('How often what was delivered is looked at again, where its module says nothing else.'),
        freshFor: period.optional().describe('How long a verdict counts while nobody looks again; then it is `stale`. Twice `verifyEvery`, if left out.'),
        notify: notify.describe('Where people are told of what happens here, beside the workspace’s channels.'),
        review: z
          .strictObject({
            approvals: z.int().min(0).max(10).default(0).describe('How many people must approve a plan.'),
            notTheAuthor: z.boolean().default(true).describe('The author does not count: of the commits; and of what no commit asks for (`revert`, `rollback`, `operate`, `prune`), who asks for it.'),
          })
          .prefault({})
          .describe('Who has to look at a plan first.'),
        drift: drift.describe('What is done about drift, by its cause. Where nothing is said, a sandbox reverts what is not an object of somebody else’s, and others report.'),
      }),
    })
    .describe('A named place with targets, and how changes get there. A change of anything but `variables` is accepted by a run of its own, by the approvals that were asked for before it; until then what was accepted is in force.')
}
export type Environment = z.output<ReturnType<typeof environmentSchema>>

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
