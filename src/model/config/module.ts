import { z } from 'zod'
import { onFailure } from '../on-failure.ts'
import { apiVersion, driftPolicyByCause, duration, name, period, secretRef, track, uniqueNames } from './parts.ts'
import { probeSchema } from './probe.ts'

/** The schema of a Module for the probe kinds that are there (each probe folder brings its own schema). */
export function moduleSchema(probes: Readonly<Record<string, z.ZodType>>) {
  const probe = probeSchema(probes)
  return z
    .strictObject({
      apiVersion,
      kind: z.literal('Module'),
      metadata: z.strictObject({
        name: name.describe('Unique in the whole workspace.'),
        labels: z.record(z.string(), z.string()).default({}).describe('For people and policies: who it belongs to.'),
      }),
      spec: z.strictObject({
        track: track.default('declarative').describe('How it is delivered.'),
        driver: name.default('kubernetes').describe('What delivers it.'),
        target: name.describe('Which target of the environment it is delivered to.'),
        environments: z.array(name).optional().describe('The environments it is delivered to; all, if left out.'),
        source: z
          .strictObject({ path: z.string().regex(/^[^/]/, 'expected a path relative to this file').default('.').describe('The folder, relative to this file. `${environment}` and the environment’s variables are substituted.') })
          .prefault({})
          .describe('Where its manifests are.'),
        dependsOn: z.array(name).default([]).describe('Modules that are delivered and verified first.'),
        deadline: duration.prefault('5m').describe('How long until every object is ready.'),
        probeSets: z.array(name).default([]).describe('Probe sets of the platform team that show it too. Each probe is then named `<set>/<probe>`.'),
        probes: z.array(probe).superRefine(uniqueNames).default([]).describe('What shows that it works.'),
        onFailure: onFailure.optional().describe('The same as an environment’s, where the module wants to be stricter: of the two the stricter counts (`continue`, `alert`, `halt`, `rollback`).'),
        verifyEvery: period.optional().describe('How often the probes go on afterwards; as often as the environment says, if left out.'),
        drift: z.strictObject(driftPolicyByCause).prefault({}).describe('What is done about drift of this module, where it is not what the environment says. What holds data is never reverted by itself.'),
        takeOver: z.boolean().default(false).describe('Objects that exist already are taken over; the plan shows each field.'),
        empty: z.boolean().default(false).describe('Rendering to nothing is meant.'),
        plainSecrets: z.boolean().default(false).describe('Secrets with their data in Git are meant; what they render to is kept in memory only.'),
        secrets: z
          .array(
            z.strictObject({
              name: z.string().min(1).describe('The Secret’s name.'),
              namespace: z.string().optional().describe('Its namespace.'),
              type: z.string().default('Opaque').describe('Its type.'),
              keys: z.record(z.string(), secretRef).describe('Where the value of each key is.'),
            }),
          )
          .superRefine(uniqueNames)
          .default([])
          .describe('Secrets that Plumbline writes; their values are resolved at delivery and never stored.'),
      }),
    })
    .describe('The unit of intent: a source, a track, a driver, dependencies, probes.')
}

export type Module = z.output<ReturnType<typeof moduleSchema>>
