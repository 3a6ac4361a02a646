import type { JsonObject } from '#lib/json.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { withBuiltinDefaults } from '#playground/schema/builtin-defaults.ts'
import { decodedBuiltin } from '#playground/schema/builtin-decoding.ts'
import { builtinSchemas } from '#playground/schema/builtin-schemas.ts'
import { fieldManagement } from '../field-management.ts'

/** One object of a built-in kind, written to as a server would. Every write comes a second after the one before. */
export class BuiltinObject {
  private live: KubernetesObject | undefined
  private seconds = Date.parse('2026-01-01T00:00:00Z')

  apply(manager: string, body: object, force = false): KubernetesObject {
    const applied = body as KubernetesObject
    const result = fieldManagement.apply({ ...this.common(applied), manager, live: this.live, applied, force, subresource: '', reset: ['status'], defaults: complete })
    if ('invalid' in result) throw new Error(result.invalid)
    if ('conflicts' in result) throw new Error(result.message)
    return this.keep(result.object)
  }

  update(manager: string, body: object, subresource = ''): KubernetesObject {
    const { live, next } = { live: this.live, next: complete(body as KubernetesObject) }
    const withIdentity = live === undefined ? next : { ...next, metadata: { ...next.metadata, uid: live.metadata.uid as string } }
    return this.keep(fieldManagement.update({ ...this.common(next), manager, live, next: withIdentity, subresource, reset: subresource === 'status' ? ['spec'] : ['status'] }))
  }

  scale(manager: string, replicas: number): KubernetesObject {
    const live = this.live as KubernetesObject
    const next = { ...live, spec: { ...(live.spec as JsonObject), replicas } }
    return this.keep(fieldManagement.update({ ...this.common(next), manager, live, next, subresource: 'scale', replicas: ['spec', 'replicas'] }))
  }

  get object(): KubernetesObject {
    if (this.live === undefined) throw new Error('nothing was written yet')
    return this.live
  }

  /** `manager/operation[/subresource]` and what it owns. */
  owners(): Record<string, unknown> {
    const entries = (this.live?.metadata.managedFields ?? []) as JsonObject[]
    return Object.fromEntries(entries.map(({ manager, operation, subresource, fieldsV1 }) => [[manager, operation, ...(subresource === undefined ? [] : [subresource])].join('/'), fieldsV1]))
  }

  private common({ apiVersion, kind }: KubernetesObject) {
    const schema = builtinSchemas.schemaOf(apiVersion, kind) as Schema
    this.seconds += 1000
    return { schema, versions: { [apiVersion]: schema }, time: new Date(this.seconds).toISOString().replace('.000', '') }
  }

  private keep(object: KubernetesObject): KubernetesObject {
    this.live = { ...object, metadata: { ...object.metadata, uid: 'u1' } }
    return this.live
  }
}

function complete(object: KubernetesObject): KubernetesObject {
  const decoded = decodedBuiltin(object)
  if ('problem' in decoded) throw new Error(decoded.problem)
  return withBuiltinDefaults(decoded.object)
}
