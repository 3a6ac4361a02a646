import type { Backend } from '../backend.ts'
import type { Kind } from '../kinds.ts'
import type { Answer, ApiRequest } from '../request.ts'

/** What a path names. `name` is '' for a collection, `namespace` '' for every namespace or a cluster-scoped kind. */
export type Target = { readonly kind: Kind; readonly namespace: string; readonly name: string; readonly subresource: string }

export type Verb = (backend: Backend, request: ApiRequest, target: Target) => Answer | Promise<Answer>
