import { isObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { User } from '../request.ts'
import type { Storage } from '../storage.ts'
import { type Rule, rulesOf } from './rule.ts'

/** What one binding gives to one subject. */
export type Grant = { readonly source: string; readonly rules: readonly Rule[]; /** The role that the binding names and that is not there. */ readonly missing?: string }

type Holder = { readonly everywhere: Grant[]; readonly inNamespace: Map<string, Grant[]> }

const group = 'rbac.authorization.k8s.io'

/** The bindings of every subject, made anew at the first question after a role or a binding has changed. */
export class RoleIndex {
  readonly #storage: Storage
  #holders: Map<string, Holder> | undefined

  constructor(storage: Storage) {
    this.#storage = storage
    storage.subscribe((change) => {
      if (change.resource.startsWith(`${group}/`)) this.#holders = undefined
    })
  }

  /** Grants for a user in a namespace: those of the whole cluster first. */
  *grants(user: User, namespace: string): Generator<Grant> {
    const holders = (this.#holders ??= this.#index())
    const mine = [holders.get(`User ${user.name}`), ...user.groups.map((name) => holders.get(`Group ${name}`))]
    for (const holder of mine) if (holder !== undefined) yield* holder.everywhere
    if (namespace === '') return
    for (const holder of mine) yield* holder?.inNamespace.get(namespace) ?? []
  }

  /** The rules that a binding's `roleRef` names; `undefined` where there is no such role. */
  rulesOfRole(kind: string, namespace: string, name: string): readonly Rule[] | undefined {
    const role = kind === 'ClusterRole' ? this.#storage.get(`${group}/clusterroles`, `/${name}`) : kind === 'Role' ? this.#storage.get(`${group}/roles`, `${namespace}/${name}`) : undefined
    return role === undefined ? undefined : rulesOf(role.rules)
  }

  #index(): Map<string, Holder> {
    const holders = new Map<string, Holder>()
    const rules = new Map<string, readonly Rule[] | undefined>()
    const add = (binding: KubernetesObject, namespace: string): void => {
      const ref = isObject(binding.roleRef) ? binding.roleRef : {}
      const [kind, name] = [String(ref.kind), String(ref.name)]
      const key = `${kind} ${kind === 'Role' ? namespace : ''}/${name}`
      if (!rules.has(key)) rules.set(key, this.rulesOfRole(kind, namespace, name))
      const found = rules.get(key)
      const missing = `${kind.toLowerCase()}.${group} ${JSON.stringify(name)} not found`
      for (const subject of Array.isArray(binding.subjects) ? binding.subjects.filter(isObject) : []) {
        const [subjectKind, subjectName] = [String(subject.kind), String(subject.name)]
        const home = typeof subject.namespace === 'string' && subject.namespace !== '' ? subject.namespace : namespace
        const shown = subjectKind === 'ServiceAccount' ? `${subjectName}/${home}` : subjectName
        const bound = namespace === '' ? `ClusterRoleBinding "${String(binding.metadata.name)}"` : `RoleBinding "${String(binding.metadata.name)}/${namespace}"`
        const grant = { source: `${bound} of ${kind} "${name}" to ${subjectKind} "${shown}"`, rules: found ?? [], ...(found === undefined ? { missing } : {}) }
        const holderKey = subjectKind === 'ServiceAccount' ? `User system:serviceaccount:${home}:${subjectName}` : `${subjectKind} ${subjectName}`
        let holder = holders.get(holderKey)
        if (holder === undefined) holders.set(holderKey, (holder = { everywhere: [], inNamespace: new Map() }))
        if (namespace === '') holder.everywhere.push(grant)
        else holder.inNamespace.set(namespace, [...(holder.inNamespace.get(namespace) ?? []), grant])
      }
    }
    for (const binding of this.#storage.list(`${group}/clusterrolebindings`)) add(binding, '')
    for (const binding of this.#storage.list(`${group}/rolebindings`)) add(binding, binding.metadata.namespace ?? '')
    return holders
  }
}
