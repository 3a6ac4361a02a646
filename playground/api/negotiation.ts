import { notAcceptable } from './status.ts'

/** How an answer is to look. `as` is what an object or a list is turned into. */
export type Form = {
  readonly media: 'application/json' | 'application/yaml'
  readonly as: 'object' | 'table' | 'partial' | 'partial-list'
  readonly discovery: boolean
}

type Clause = { readonly type: string; readonly parameters: Readonly<Record<string, string>> }

function clauses(accept: string | undefined): Clause[] {
  if (accept === undefined || accept.trim() === '') return [{ type: '*/*', parameters: {} }]
  return accept.split(',').map((part) => {
    const [type = '', ...rest] = part.split(';').map((piece) => piece.trim())
    return { type: type.toLowerCase(), parameters: Object.fromEntries(rest.map((pair) => pair.split('=').map((side) => side.trim()) as [string, string])) }
  })
}

/** The first form that the server has, in the client's order. Throws 406. */
export function negotiate(accept: string | undefined): Form {
  for (const { type, parameters } of clauses(accept)) {
    const media = type === 'application/yaml' ? 'application/yaml' : ['application/json', 'application/*', '*/*'].includes(type) ? 'application/json' : undefined
    if (media === undefined) continue
    const as = parameters.as
    if (as === undefined) return { media, as: 'object', discovery: false }
    if (parameters.g === 'apidiscovery.k8s.io') {
      if (parameters.v === 'v2' && as === 'APIGroupDiscoveryList') return { media, as: 'object', discovery: true }
      continue
    }
    if (parameters.g !== 'meta.k8s.io' || (parameters.v !== 'v1' && parameters.v !== 'v1beta1')) continue
    if (as === 'Table') return { media, as: 'table', discovery: false }
    if (as === 'PartialObjectMetadata') return { media, as: 'partial', discovery: false }
    if (as === 'PartialObjectMetadataList') return { media, as: 'partial-list', discovery: false }
  }
  throw notAcceptable()
}
