import { z } from 'zod'
import { apiVersion, name, uniqueNames } from './parts.ts'
import { probeSchema } from './probe.ts'

/** The schema of a ProbeSet for the probe kinds that are there. */
export function probeSetSchema(probes: Readonly<Record<string, z.ZodType>>) {
  return z
    .strictObject({
      apiVersion,
      kind: z.literal('ProbeSet'),
      metadata: z.strictObject({ name: name.describe('Unique among probe sets. Modules name it in `spec.probeSets`.') }),
      spec: z.strictObject({ probes: z.array(probeSchema(probes)).min(1).superRefine(uniqueNames).describe('What shows that it works. They reach what the workspace’s own repository may, whoever names the set.') }),
    })
    .describe('Probes that the platform team keeps, for any module that names them.')
}

export type ProbeSet = z.output<ReturnType<typeof probeSetSchema>>
