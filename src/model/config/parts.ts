import { z } from 'zod'
import { driftPolicies } from '../finding.ts'

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const longest = 365 * 86_400_000

/** A duration as people write it (`500ms`, `60s`, `10m`, `1h30m`, `7d`), read as milliseconds. */
export const duration = z
  .string()
  .regex(/^(\d+(ms|s|m|h|d))+$/, 'expected a duration such as 500ms, 60s, 10m or 1h30m')
  .transform((text) => [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0), 0))
  .refine((ms) => ms <= longest, 'expected a duration of at most 365d')
  .meta({ title: 'duration', examples: ['60s', '10m', '1h30m'] })

/** A duration after which something is done again. */
export const period = duration.refine((ms) => ms >= 1_000, 'expected at least 1s').meta({ title: 'duration' })

/** The name of a workspace, repository, environment, target, module or probe: a DNS label. */
export const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'expected lower-case letters, digits and hyphens, with a letter or digit at both ends')

/** `<provider>:<path>#<key>`; the key may be left out where the provider's secret is one value. */
export const secretRef = z
  .strictObject({
    secretRef: z
      .string()
      .regex(/^[a-z][a-z0-9-]*:[^#\s]+(#\S+)?$/, 'expected <provider>:<path>#<key>, such as env:GIT_TOKEN or file:/run/secrets/git#token')
      .describe('Where the value is: `<provider>:<path>#<key>`. The value itself is never written down.'),
  })
  .meta({ title: 'secretRef' })

/** A glob over names: `*` stands for any run of characters but `/`, `**` for any. */
export const glob = z.string().min(1).max(256).meta({ title: 'glob' })

export const track = z.enum(['declarative', 'operator', 'imperative'])
export type Track = z.output<typeof track>

export const apiVersion = z.literal('plumbline.dev/v1alpha1')

/** Items that bear a name bear one of their own; a Secret's namespace is part of it. */
export function uniqueNames(items: readonly { name: string; namespace?: string | undefined }[], context: z.core.$RefinementCtx): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const full = `${item.namespace ?? ''}/${item.name}`
    if (seen.has(full)) context.addIssue({ code: 'custom', path: [index, 'name'], message: 'expected a name that no other has' })
    seen.add(full)
  }
}

const policy = z.enum(driftPolicies).optional()

/** What is done about drift, cause by cause. */
export const driftPolicyByCause = {
  hotfix: policy.describe('Made inside an elevation.'),
  manual: policy.describe('By an interactive client.'),
  controller: policy.describe('By another controller.'),
  unknown: policy.describe('Co-owned, ambiguous, or without a trace.'),
  missing: policy.describe('The object is gone.'),
  recreated: policy.describe('Another object bears its name.'),
  orphan: policy.describe('It bears a module’s label, and Plumbline did not make it.'),
}
