import { z } from 'zod'
import { name } from '../config/parts.ts'
import { runSelections } from '../latest-run.ts'
import { roles } from '../principal.ts'

/** Text that people write. PostgreSQL keeps neither NUL nor half a character. */
const text = (max: number): z.ZodString => z.string().min(1).max(max).refine((value) => value.isWellFormed() && !value.includes('\0'), 'expected text without NUL')

const reason = text(2000).refine((value) => value.trim() !== '', 'expected words').describe('Why; kept in the record.')
const module = name.describe('A module’s name.')
const modules = z.array(name).min(1).max(1000).optional().describe('Only these modules; all, if left out.')

export const approveBody = z.strictObject({
  plan: text(200).describe('The digest of the plan that was read: where the run waits with another one by now, nothing is approved.'),
  reason,
  objects: z.array(text(1000)).max(1000).default([]).describe('Objects that hold data and may be deleted or replaced, each as the plan names it.'),
})
export const cancelBody = z.strictObject({ reason })
export const askBody = z.strictObject({ modules, reason, ticket: text(200).nullable().default(null) })
export const rollbackBody = z
  .strictObject({ module: module.optional(), run: text(100).optional().describe('All that this run changed.'), reason, ticket: text(200).nullable().default(null) })
  .refine((body) => (body.module === undefined) !== (body.run === undefined), 'expected a module or a run')
export const pinBody = z.strictObject({ module, to: text(100).nullable().default(null).describe('The snapshot, or the run that delivered it; where it is now, if left out.'), reason, ticket: text(200).nullable().default(null) })
export const unpinBody = pinBody.omit({ to: true })
export const operateBody = z.strictObject({ from: name.nullable().default(null).describe('The step to begin with, in place of the first: what is before it is left out.'), reason, ticket: text(200).nullable().default(null) })
export const operationsQuery = z.object({ environment: z.string().max(100).optional().describe('Only this environment.') })
export const pruneBody = askBody.omit({ modules: true })
export const planBody = z.strictObject({ modules })
export const pauseBody = z.strictObject({
  module: module.nullable().default(null),
  reason,
  forMs: z.int().positive().max(30 * 86_400_000).describe('For how long, in milliseconds: a pause always has an end.'),
})
export const resumeBody = z.strictObject({ module: module.nullable().default(null) })
export const tokenBody = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'expected lower-case letters, digits, dots and hyphens, with a letter or digit at both ends'),
  role: z.enum(roles),
  environments: z
    .array(z.string().max(100).regex(/^[-a-z0-9*?]+$/, 'expected the name of an environment, or a glob'))
    .min(1)
    .max(100)
    .default(['*'])
    .describe('Names of environments, or globs; `*` is all, and the whole workspace.'),
  emails: z.array(z.email().max(254)).max(20).default([]).describe('Addresses that the principal commits with.'),
  forMs: z.int().positive().max(3650 * 86_400_000).optional().describe('How long the token is good, in milliseconds; until it is revoked, if left out.'),
})

const environment = z.string().max(100).optional().describe('Only this environment.')
export const recordsQuery = z.object({
  environment,
  from: z.coerce.number().int().min(0).default(0).describe('From this record on: for the pages after the first.'),
  sign: z.enum(['each']).optional().describe('`each`: with a DSSE signature of each record, made now.'),
})
export const timelineQuery = z.object({
  environment,
  module: z.string().max(100).optional().describe('Only what is about this module, or about no module in particular.'),
  since: z.iso.datetime({ offset: true }).describe('From this time on.'),
  until: z.iso.datetime({ offset: true }).optional().describe('Up to this time; now, if left out.'),
})
export const rotateBody = z.strictObject({ reason })
export const runsQuery = z.object({
  environment,
  module: z.string().max(100).optional().describe('Only runs that this module is part of.'),
  only: z.enum(runSelections).optional().describe('Only runs that have not ended (`open`), only those of them that wait for an approval (`to-approve`), or only those that may have changed something (`begun`).'),
  limit: z.coerce.number().int().min(1).max(200).default(20).describe('How many at most.'),
})

export const adoptBody = z.strictObject({ reason })

export const yieldedQuery = z.object({ module: z.string().max(100).optional().describe('Only fields of this module.') })
export const yieldBody = z.strictObject({ module, object: text(1000).describe('The object, by its key or as it is shown (`Deployment shop/web`).'), reason })

const imported = {
  namespace: name.describe('The namespace to import.'),
  module: name.optional().describe('The new module’s name; the namespace’s, if left out.'),
  target: name.optional().describe('The cluster, where the environment has several.'),
}
export const importQuery = z.object(imported)
export const importBody = z.strictObject({ ...imported, repository: name.describe('Where it is committed, on a branch.'), reason })
export const findingsQuery = z.object({
  environment,
  module: z.string().max(100).optional().describe('Only findings of this module.'),
  resolved: z.enum(['with', 'without']).default('without').describe('Whether those that are resolved are told too.'),
  limit: z.coerce.number().int().min(1).max(1000).default(200).describe('How many at most.'),
})
export const fieldsQuery = z.object({ module: z.string().max(100).describe('The module.') })
export const revertBody = z.strictObject({ reason, ticket: text(200).nullable().default(null) })
export const acceptBody = z.strictObject({
  reason,
  until: z.iso.datetime().describe('When it comes back; within a year.'),
})

/** What was asked for has begun: the run to follow; null where there is nothing to do. */
export const accepted = z.object({ run: z.string().nullable() })
/** Whether there was something to do. */
export const done = z.object({ done: z.boolean() })
