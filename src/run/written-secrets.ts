import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { JsonObject } from '#lib/json.ts'
import type { LoadedModule } from '#model/config/load.ts'
import type { Module } from '#model/config/module.ts'
import type { Limits } from '#model/config/workspace.ts'
import { keyOf, showKey } from '#model/resource.ts'
import type { Desired } from '#model/resource.ts'
import { secretAllowed } from '#model/config/limits.ts'
import type { Parts } from './parts.ts'

/** The Secrets that Plumbline writes for a module: their values are resolved now, live in memory for this call, and are never stored. */
export async function writtenSecrets(parts: Parts, module: LoadedModule, config: Module, limits: Limits, signal: AbortSignal): Promise<Desired[]> {
  return Promise.all(
    config.spec.secrets.map(async (secret) => {
      const data: JsonObject = {}
      for (const [key, { secretRef }] of Object.entries(secret.keys)) {
        if (!secretAllowed(secretRef, limits))
          throw new Failure({
            code: 'limits-secret',
            subject: `module ${config.metadata.name}`,
            message: `repository ${module.repository} may not use the secret reference ${secretRef}`,
            hint: `Whoever keeps the workspace can list it in \`spec.repositories.${module.repository}.allow.secrets\`.`,
          })
        const { value } = await parts.resolveSecret(secretRef, signal)
        data[key] = Buffer.from(value, 'utf8').toString('base64')
      }
      const namespace = secret.namespace ?? ''
      const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret.name, namespace }, type: secret.type, data }
      return {
        key: keyOf({ group: '', kind: 'Secret', namespace, name: secret.name }),
        body,
        origin: { repository: module.repository, file: module.file, line: 1 },
      }
    }),
  )
}

/** What a repository has in the clear, with its module's word that it is meant, leaves Plumbline as little as what it resolves. */
export function rememberPlainSecrets({ redactor }: Pick<Parts, 'redactor'>, module: string, rendered: readonly Desired[]): void {
  for (const { key, body } of rendered) {
    if (body['kind'] !== 'Secret') continue
    for (const [field, encoded] of [['data', true], ['stringData', false]] as const)
      for (const [name, value] of Object.entries(isObject(body[field]) ? body[field] : {}))
        if (typeof value === 'string') redactor.add(encoded ? Buffer.from(value, 'base64').toString('utf8') : value, `of ${module}: ${showKey(key)}#${name}`)
  }
}
