import { z } from 'zod'
import { isCron } from '#lib/cron.ts'
import { apiVersion, duration, name, uniqueNames } from './parts.ts'
import { probeSchema } from './probe.ts'

export const stepKinds = ['probe', 'command', 'sql', 'patch', 'wait', 'approval'] as const
export type StepKindName = (typeof stepKinds)[number]

const cron = z
  .string()
  .max(100)
  .refine(isCron, 'expected five fields of cron: minute, hour, day of the month, month, day of the week')
  .meta({ title: 'cron' })

const sql = z
  .strictObject({
    target: name.describe('A `postgres` or `mysql` target of the environment.'),
    statement: z.string().min(1).max(100_000).describe('One statement. It is sent once, outside of a transaction, and what it does stays.'),
    timeout: duration.prefault('1m').describe('However long it may take: the server ends it then.'),
  })
  .describe('A statement, at most once.')

const patch = z
  .strictObject({
    target: name.describe('A Kubernetes target of the environment.'),
    apiVersion: z.string().min(1).max(253).describe('The object’s, such as `apps/v1`.'),
    kind: z.string().min(1).max(253).describe('The object’s, such as `Deployment`.'),
    namespace: z.string().max(253).default('').describe('None for what lives in no namespace.'),
    name: z.string().min(1).max(253).describe('The object’s name.'),
    fields: z.record(z.string(), z.json()).describe('The fields, as in the object: `{ spec: { replicas: 0 } }`. An apply: what an earlier step of the operation set on the object, and this one leaves out, is let go.'),
    force: z.boolean().default(false).describe('Also what others own is set.'),
  })
  .describe('Fields of an object that is there. No Secrets.')

/** The schema of an Operation for the probe kinds that are there. */
export function operationSchema(probes: Readonly<Record<string, z.ZodType>>) {
  const probe = probeSchema(probes)
  const step = z
    .strictObject({
      name: name.describe('Unique in the operation: `plumb operate --from` names it.'),
      probe: probe.optional().describe('Asked until it passes, `within` at most.'),
      command: (probes['command'] ?? z.never()).optional().describe('Like the probe of that name, at most once: a Job, or a program that the host target lists.'),
      timeout: duration.refine((ms) => ms > 0 && ms <= 86_400_000, 'expected 24h at most').optional().describe('Beside `command`: how long it may take, 10m if left out. What is ended by that is asked a person about.'),
      sql: sql.optional(),
      patch: patch.optional(),
      wait: z.union([z.strictObject({ for: duration.describe('From when it first began.') }), z.strictObject({ until: probe.describe('Asked until it passes, `within` at most.') })]).optional().describe('For a time, or until a probe passes.'),
      approval: z.strictObject({ message: z.string().min(1).max(2_000).describe('What the person is asked.') }).optional().describe('Waits for a person: `plumb approve`.'),
    })
    .refine((one) => stepKinds.filter((kind) => one[kind] !== undefined).length === 1, `expected exactly one of ${stepKinds.join(', ')}`)
    .refine((one) => one.timeout === undefined || one.command !== undefined, 'expected timeout beside command alone')
  return z
    .strictObject({
      apiVersion,
      kind: z.literal('Operation'),
      metadata: z.strictObject({ name: name.describe('Unique among operations: `plumb operate NAME`.') }),
      spec: z.strictObject({
        about: z.string().min(1).max(2_000).describe('What it is for, in a sentence.'),
        environments: z.array(name).min(1).optional().describe('Where it may be run; in all, if left out.'),
        schedule: cron.optional().describe('When it is run by itself, as cron has it, in UTC. What was missed is made up for once. Such a run waits while the environment is paused; an approval of just this document there counts for each.'),
        pre: z.array(probe).superRefine(uniqueNames).default([]).describe('What has to be so before the first step: otherwise nothing is done.'),
        steps: z.array(step).min(1).superRefine(uniqueNames).describe('One after the other. A step that fails ends it.'),
        post: z.array(probe).superRefine(uniqueNames).default([]).describe('What has to be so in the end.'),
      }),
    })
    .describe('A named run without a new snapshot: what is done by hand otherwise, as steps that are recorded. `${environment}`, the environment’s variables and `${run}` (the run’s id) are substituted in all texts of steps and probes.')
}

export type Operation = z.output<ReturnType<typeof operationSchema>>
export type OperationStep = Operation['spec']['steps'][number]

/** Whether an operation may be run in an environment. */
export function isFor({ spec }: Pick<Operation, 'spec'>, environment: string): boolean {
  return spec.environments?.includes(environment) ?? true
}
