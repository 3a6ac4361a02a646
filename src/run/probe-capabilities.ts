import { Failure } from '#lib/failure.ts'
import { secretAllowed } from '#model/config/limits.ts'
import type { ProbeCapabilities } from '#probes/probe.ts'
import { hostProgramOf, jobPlaceOf } from './command-places.ts'
import { narrowed } from './narrow.ts'
import { reachOf } from './reach.ts'
import type { ModuleIntent } from './render-run.ts'
import { targetOf } from './work.ts'
import type { Work } from './work.ts'

/** What the probes of a module may use: within the environment's reach and the limits of the module's repository. */
export function capabilitiesFor(work: Pick<Work, 'parts' | 'environment' | 'claim'>, intent: Pick<ModuleIntent, 'name' | 'repository' | 'limits'>): ProbeCapabilities {
  const { parts, environment } = work
  const reach = reachOf(environment, intent.limits, parts.resolve)
  const target = (name: string) => {
    reach.checkTarget(name)
    return targetOf(environment, name, `module ${intent.name}`)
  }
  return {
    reach,
    cel: parts.cel,
    secret: async (reference) => {
      if (secretAllowed(reference, intent.limits)) return (await parts.resolveSecret(reference, work.claim.signal)).value
      throw new Failure({
        code: 'limits-secret',
        subject: `module ${intent.name}`,
        message: `repository ${intent.repository} may not use the secret reference ${reference}`,
        hint: `Whoever keeps the workspace can list it in \`spec.repositories.${intent.repository}.allow.secrets\`.`,
      })
    },
    kubernetes: async (name) => narrowed(await parts.kubernetes(target(name)), intent.repository, intent.limits),
    jobs: async (name, image) => jobPlaceOf(target(name), name, image, `${environment.metadata.name}/${intent.name}`, parts.kubernetes),
    hostProgram: async (name, command, args) => hostProgramOf(target(name), name, command, args),
    sqlUrl: async (name) => {
      const config = target(name)
      const url = 'postgres' in config ? config.postgres.url : 'mysql' in config ? config.mysql.url : undefined
      if (url !== undefined) return (await parts.resolveSecret(url.secretRef, work.claim.signal)).value
      throw new Failure({ code: 'target-unknown', subject: `module ${intent.name}`, message: `target ${name} is no database`, hint: 'Name a `postgres` or `mysql` target.' })
    },
  }
}
