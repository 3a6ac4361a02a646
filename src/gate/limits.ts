import { secretAllowed } from '#model/config/limits.ts'
import type { Limits } from '#model/config/workspace.ts'
import { isIdle } from '#model/effects.ts'
import { matchesGlob } from '#model/glob.ts'
import { parseKey, showKey, type ObjectKey } from '#model/resource.ts'
import type { Step } from '#model/plan.ts'
import { some, type GatedModule, type Rule } from './rule.ts'

/**
 * What a repository may deliver to: nothing that is not listed. What is deleted, and what is left alone, does not count: the inventory holds nothing but what
 * limits once let in, and letting it go gives nobody anything. So what was narrowed, or a repository that is gone, leaves nothing behind.
 */
export const limitsRule: Rule = {
  code: 'limits',
  decide: ({ plan, modules, limits }) => {
    const beyond = plan.steps.flatMap((step) => {
      const module = modules.find((one) => one.module === step.module)
      if (module?.isGone === true) return []
      const allowed = module !== undefined && Object.hasOwn(limits, module.repository) ? limits[module.repository] : undefined
      if (module === undefined || allowed === undefined) return [`it is not known which repository ${step.module} is from`]
      return beyondLimits(plan.environment, step, module, allowed).map((what) => `the repository ${module.repository} may not ${what} (module ${step.module})`)
    })
    if (beyond.length === 0) return undefined
    return {
      code: 'limits',
      outcome: 'refuse',
      message: `This reaches beyond what is allowed: ${some(beyond)}.`,
      hint: 'What a repository may deliver to is listed under spec.repositories.<name>.allow in plumbline.yaml, in the platform repository.',
    }
  },
}

function beyondLimits(environment: string, step: Step, module: GatedModule, limits: Limits): string[] {
  if (limits === 'everything') return []
  const beyond: string[] = []
  if (!listed(limits.environments, environment)) beyond.push(`deliver to the environment ${environment} (allow.environments)`)
  if (!listed(limits.targets, step.target)) beyond.push(`deliver to the target ${step.target} (allow.targets)`)
  for (const secret of module.secrets) if (!secretAllowed(secret, limits)) beyond.push(`use the secret ${secret} (allow.secrets)`)
  for (const effect of step.waves.flat()) {
    if (effect.action === 'deleted' || (isIdle(effect) && effect.desired === undefined)) continue
    const { group, kind, namespace, name } = parseKey(effect.key)
    if (!kindAllowed(limits.kinds, effect.key)) beyond.push(`touch ${showKey(effect.key)}: the kind ${group === '' ? kind : `${kind}.${group}`} is not listed (allow.kinds)`)
    // A namespace is itself in reach only where what lives in it would be.
    const within = namespace !== '' ? namespace : group === '' && kind === 'Namespace' ? name : undefined
    if (within !== undefined && !listed(limits.namespaces, within)) beyond.push(`touch ${showKey(effect.key)}: the namespace ${within} is not listed (allow.namespaces)`)
  }
  return beyond
}

/** `namespaced` is every kind that lives in a namespace; a list names kinds as `Deployment.apps`, `ConfigMap`. */
function kindAllowed(kinds: Exclude<Limits, 'everything'>['kinds'], key: ObjectKey): boolean {
  const { group, kind, namespace } = parseKey(key)
  return kinds === 'namespaced' ? namespace !== '' : kinds.includes(group === '' ? kind : `${kind}.${group}`)
}

function listed(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => matchesGlob(glob, name))
}
