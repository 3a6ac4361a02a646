import { decide } from '#drift/decide.ts'
import { digestOf, type Digest } from '#lib/digest.ts'
import type { JsonObject } from '#lib/json.ts'
import type { Drift } from '#drift/classify.ts'
import type { DriftPolicy, ElevationWindow } from '#model/finding.ts'
import { revertMayLoseState } from '#model/holds-state.ts'
import type { Held } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import type { Parts } from '../parts.ts'
import { policyInForce, type Policy } from '../policy.ts'
import type { Target } from './targets.ts'

/** What decides on drift of an environment: the policy in force, and what modules say of themselves. `digest`: of both. */
export type DriftPolicies = { decide(module: string, object: ObjectKey, drift: Drift, as: Known): DriftPolicy; readonly elevations: readonly ElevationWindow[]; readonly inForce: Policy; readonly digest: Digest }

/** What was declared of an object, and what is there of it. */
type Known = { readonly declared: Held['fields']; readonly live: JsonObject | undefined }

export async function driftPolicies(parts: Parts, target: Target): Promise<DriftPolicies> {
  const policy: Policy = await policyInForce(parts.sql, target.spec, target.configuration)
  const elevations = openElevations()
  return {
    elevations,
    inForce: policy,
    digest: digestOf([policy.tier, policy.drift, [...target.configuration.modules].map(([name, { config }]) => [name, config.spec.drift])]),
    decide: (module, object, { cause, fields }, { declared, live }) =>
      decide({
        cause,
        tier: policy.tier,
        environment: policy.drift,
        module: target.configuration.modules.get(module)?.config.spec.drift ?? {},
        holdsState: revertMayLoseState(object, declared, live),
        wasYielded: declared.some(({ path, mark }) => mark === 'yielded' && fields.some((field) => field.path === path)),
        isLeaving: cause === 'missing' && live !== undefined,
        elevated: elevations.some(({ modules }) => modules?.includes(module) ?? true),
      }),
  }
}

/** The break-glass sessions that are open, or were a short while ago. There are none yet: this is their place. */
function openElevations(): readonly ElevationWindow[] {
  return []
}
