import { z } from 'zod'
import { adoptionStates } from '../adoption.ts'
import { driftPolicies, findingCauses, findingStates } from '../finding.ts'
import { failureView, watchView } from './views.ts'

// What the API answers of drift, and of the ways back to Git.

/** A time: ISO 8601, UTC, milliseconds. */
const time = z.iso.datetime()
const json = z.unknown()

const editView = z
  .object({ file: z.string(), line: z.number(), column: z.number(), before: z.string(), after: z.string() })
  .meta({ id: 'Edit', description: 'A change of a file: where it begins in the file as it was, and what becomes of what.' })
const renamedView = z.object({ from: z.string(), to: z.string() })

export const adoptionView = z
  .object({
    finding: z.string(),
    state: z.enum(adoptionStates),
    by: z.string(),
    reason: z.string(),
    askedAt: time,
    deadline: time.describe('Until when it should be delivered.'),
    repository: z.string().nullable(),
    branch: z.string(),
    to: z.enum(['branch', 'deployed']),
    commit: z.string().nullable(),
    pullRequest: z.string().nullable().describe('Its page, where the repository has a forge.'),
    edits: z.array(editView),
    renamed: z.array(renamedView).describe('Generated objects that get another name, and with them what refers to them rolls out.'),
    unproven: z.array(z.string()).describe('What does not render, so that nothing is proven for it.'),
    failure: failureView.nullable(),
    delivered: z.object({ run: z.string().nullable(), commit: z.string().nullable() }).nullable().describe('The run that delivered it, and the commit of the repository that it had; null in them where it is not known.'),
  })
  .meta({ id: 'Adoption' })
export type AdoptionView = z.output<typeof adoptionView>
export const adoptionAnswer = z.object({ adoption: adoptionView.nullable().describe('The last one; null where it was never asked for.') })
export const adoptionPatchAnswer = z.object({
  repository: z.string(),
  commit: z.string().describe('What it applies to.'),
  patch: z.string().describe('As `git apply` takes it; empty where Git says so already.'),
  edits: z.array(editView),
  renamed: z.array(renamedView),
  unproven: z.array(z.string()),
})

export const yieldedAnswer = z.object({
  fields: z.array(
    z
      .object({ module: z.string(), object: z.string(), path: z.string(), to: z.string(), isSafe: z.boolean().describe('Its controller owns it, so that an apply without it does not delete it.') })
      .meta({ id: 'YieldedField' }),
  ),
})
export const yieldAnswer = z.object({ repository: z.string(), branch: z.string(), commit: z.string(), pullRequest: z.string().nullable(), edits: z.array(editView) })

const leftView = z.object({ object: z.string(), why: z.string(), hint: z.string().nullable() }).meta({ id: 'LeftOut' })

export const importAnswer = z.object({
  module: z.string(),
  files: z.array(z.object({ path: z.string().describe('From the module’s own folder.'), content: z.string() })),
  left: z.array(leftView).describe('What was left out, and why. Secrets are, always.'),
})
export const importProposedAnswer = z.object({ branch: z.string(), commit: z.string(), pullRequest: z.string().nullable().describe('Its page, where the repository has a forge.'), left: z.array(leftView) })

const sourceView = z.object({
  repository: z.string(),
  file: z.string().describe('The one that decides the field: an overlay’s patch before its base.'),
  line: z.number(),
  column: z.number(),
  commit: z.object({ sha: z.string(), author: z.string(), at: time, subject: z.string() }).nullable().describe('The one that last touched the line.'),
}).meta({ id: 'Source' })

export const findingView = z
  .object({
    id: z.string(),
    environment: z.string(),
    module: z.string(),
    target: z.string(),
    object: z.string(),
    cause: z.enum(findingCauses),
    fields: z.array(z.object({ path: z.string(), declared: json.nullable(), live: json.nullable(), secret: z.literal(true).optional(), instead: z.string().optional() })).describe('Values of Secrets are null, and `secret` says so. `instead`: the list item that is there in the place of the one that it is gone with.'),
    manager: z.string().nullable().describe('The field managers that made it so, where they left a trace.'),
    person: z.string().nullable().describe('The person, where an audit source names one.'),
    onset: time.nullable().describe('When it was made so; null where nobody says.'),
    seenAt: time,
    updatedAt: time,
    count: z.number().describe('How often it was seen to become so, or otherwise.'),
    state: z.enum(findingStates),
    decision: z.enum(driftPolicies).describe('What the policy says is done about it.'),
    message: z.string(),
    source: sourceView.nullable(),
    accepted: z.object({ by: z.string(), reason: z.string(), until: time }).nullable(),
    contested: z.array(z.string()).describe('The writers that go on moving it, where it is contested.'),
    run: z.string().nullable().describe('The run that reverts it, or did last.'),
    failure: failureView.nullable(),
    resolvedAt: time.nullable(),
  })
  .meta({ id: 'Finding', description: 'One drift: an object and a cause. What we declared and somebody changed, who, since when, and where it is declared.' })
export type FindingView = z.output<typeof findingView>

export const fieldsAnswer = z.object({
  objects: z.array(
    z.object({
      object: z.string(),
      delegated: z
        .array(z.object({ path: z.string(), declared: json.nullable(), live: json.nullable(), to: z.string().describe('Who rightly has its way with it.') }))
        .describe('Declared, and another rightly has its way with it; `yielded` tells what had better be declared no more.'),
      emergent: z.array(z.object({ path: z.string(), owner: z.string().nullable().describe('Null where nobody owns it: a default, or what a webhook put in.') })).describe('Never declared.'),
      failure: failureView.nullable().describe('Why nothing can be said of it.'),
    }),
  ),
})

export const findingsAnswer = z.object({
  findings: z.array(findingView).describe('The most serious first.'),
  more: z.number().describe('How many there are beside these.'),
  waiting: z.number().describe('How many, of all, are open or contested.'),
  failure: failureView.nullable().describe('Why it is not known which environments there are; the findings are then those of all in which something was found.'),
  watches: z.array(watchView).describe('Whether anybody would know of more.'),
})

export const findingAnswer = z.object({
  finding: findingView,
  adoption: adoptionView.nullable().describe('Its way back to Git, or the last one; null where it was never asked for.'),
  history: z.array(z.object({ at: time, what: z.string(), actor: z.string(), reason: z.string() })).describe('What became of it, the newest last.'),
})
