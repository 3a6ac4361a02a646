import { Failure } from '#lib/failure.ts'
import type { ServedKind } from './client.ts'

/** `/apis/apps/v1/namespaces/orders/deployments`. For a namespaced kind without a namespace: all of them. */
export function collectionPath(kind: Pick<ServedKind, 'group' | 'version' | 'plural' | 'namespaced'>, namespace: string | undefined): string {
  const root = kind.group === '' ? `/api/${segment(kind.version)}` : `/apis/${segment(kind.group)}/${segment(kind.version)}`
  const within = kind.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : ''
  return `${root}${within}/${segment(kind.plural)}`
}

export function objectPath(kind: ServedKind, namespace: string, name: string): string {
  return `${collectionPath(kind, namespace)}/${segment(name)}`
}

export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

/** No name of Kubernetes is empty, a dot, or holds a slash or a percent sign: what does would lead to another path. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/%]/.test(name) || name.length > 253) {
    throw new Failure({ code: 'kubernetes-refused', subject: name.slice(0, 100), message: 'this cannot be a name in Kubernetes', fields: { status: 400, reason: 'BadRequest' } })
  }
  return encodeURIComponent(name)
}
