/** What a request wants to do, as an authorizer judges it. `path` counts where it is no request for a resource. */
export type Attributes = {
  readonly resourceRequest: boolean
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `impersonate`, `bind`, `escalate`; else the method, in small letters. */
  readonly verb: string
  readonly path: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  /** '' for the cluster's scope, or for all namespaces. */
  readonly namespace: string
  readonly name: string
}

const none = { resourceRequest: false, group: '', version: '', resource: '', subresource: '', namespace: '', name: '' }
const verbs: ReadonlyMap<string, string> = new Map([['GET', 'get'], ['HEAD', 'get'], ['POST', 'create'], ['PUT', 'update'], ['PATCH', 'patch'], ['DELETE', 'delete']])

/** Reads a request's path by its form alone, whether or not such a resource is served. Source: apiserver `pkg/endpoints/request/requestinfo.go`. */
export function attributesOf(method: string, path: string, query: URLSearchParams): Attributes {
  const parts = partsOf(path)
  const resources = parts[0] === 'api' ? 2 : parts[0] === 'apis' ? 3 : Number.POSITIVE_INFINITY
  if (parts.length <= resources) return { ...none, verb: method.toLowerCase(), path }
  const group = parts[0] === 'apis' ? (parts[1] ?? '') : ''
  const version = parts[resources - 1] ?? ''
  let rest = parts.slice(resources)
  let verb = verbs.get(method) ?? ''
  if (rest[0] === 'watch' && rest.length > 1) {
    verb = 'watch'
    rest = rest.slice(1)
  }
  let namespace = ''
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] ?? ''
    // A namespace is in itself, with these parts of it; everything else behind it is what it holds.
    if (rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') rest = rest.slice(2)
  }
  const [resource = '', given = '', subresource = ''] = rest
  let name = given
  if (name === '' && verb === 'get') {
    verb = isTrue(query.get('watch')) ? 'watch' : 'list'
    name = selectedName(query.get('fieldSelector'))
  } else if (name === '' && verb === 'delete') {
    verb = 'deletecollection'
    name = selectedName(query.get('fieldSelector'))
  }
  return { resourceRequest: true, verb, path, group, version, resource, subresource, namespace, name }
}

function partsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '')
  try {
    return parts.map(decodeURIComponent)
  } catch {
    return parts
  }
}

function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value !== 'false'
}

/** A list of one object by its name counts as one of that name. */
function selectedName(selector: string | null): string {
  return /(?:^|,)metadata\.name={1,2}([^,=]+)(?:,|$)/.exec(selector ?? '')?.[1] ?? ''
}
