import { createHash } from 'node:crypto'
import type { JsonObject } from '#lib/json.ts'
import { deletesCollection, type Kind } from './kinds.ts'
import { evictionKind } from './objects/evict-pod.ts'
import type { Registry } from './registry.ts'

const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
const builtInVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const partVerbs = ['get', 'patch', 'update']

function verbsOf(kind: Kind): string[] {
  if (kind.custom) return customVerbs
  if (kind.readOnly) return ['get', 'list', 'watch']
  return deletesCollection(kind) ? builtInVerbs : builtInVerbs.filter((verb) => verb !== 'deletecollection')
}

const otherVerbs: Readonly<Record<string, string>> = { eviction: 'create', log: 'get', token: 'create' }
/** Of what is read there, where that is another kind. */
const otherKinds: Readonly<Record<string, Part['kind']>> = { eviction: evictionKind, token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } }

type Part = { readonly name: string; readonly verbs: string[]; readonly kind: { group: string; version: string; kind: string } }

function partsOf(kind: Kind): Part[] {
  const self = { group: kind.group, version: kind.version, kind: kind.kind }
  return [
    ...(kind.status ? [{ name: 'status', verbs: partVerbs, kind: self }] : []),
    ...(kind.scale === undefined ? [] : [{ name: 'scale', verbs: partVerbs, kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }]),
    ...kind.others.map((name) => ({ name, verbs: [otherVerbs[name] ?? 'update'], kind: otherKinds[name] ?? self })),
  ]
}

/** Kinds that are asked, not stored. */
const reviews: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'authentication.k8s.io/v1': [
    ['selfsubjectreviews', 'SelfSubjectReview'],
    ['tokenreviews', 'TokenReview'],
  ],
  'authorization.k8s.io/v1': [
    ['localsubjectaccessreviews', 'LocalSubjectAccessReview'],
    ['selfsubjectaccessreviews', 'SelfSubjectAccessReview'],
    ['selfsubjectrulesreviews', 'SelfSubjectRulesReview'],
    ['subjectaccessreviews', 'SubjectAccessReview'],
  ],
}

/** Every group with its versions, the preferred one first; the core group is ''. */
function groupsOf(registry: Registry): Map<string, string[]> {
  const groups = registry.groups()
  for (const apiVersion of Object.keys(reviews)) {
    const [group = '', version = ''] = apiVersion.split('/')
    if (!groups.has(group)) groups.set(group, [version])
  }
  return groups
}

export function aggregated(registry: Registry, which: 'core' | 'groups'): { document: JsonObject; etag: string } {
  const groups = [...groupsOf(registry)].filter(([group]) => (group === '') === (which === 'core'))
  const document: JsonObject = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((version) => ({ version, resources: [...registry.ofVersion(group, version).map(aggregatedKind), ...aggregatedReviews(group, version)], freshness: 'Current' })),
    })),
  }
  return { document, etag: `"${createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase()}"` }
}

function aggregatedKind(kind: Kind): JsonObject {
  const shown = (what: { group: string; version: string; kind: string }): JsonObject => ({ group: what.group, version: what.version, kind: what.kind })
  const parts = partsOf(kind)
  // The definition's own kind is announced without group and version, as the real server does.
  const self = kind.plural === 'customresourcedefinitions' ? { group: '', version: '', kind: kind.kind } : kind
  return {
    resource: kind.plural,
    responseKind: shown(self),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(kind),
    ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
    ...(kind.categories.length > 0 ? { categories: [...kind.categories] } : {}),
    ...(parts.length > 0
      ? {
          subresources: parts.map((part) => ({
            subresource: part.name,
            responseKind: shown(part.kind.kind === kind.kind ? { ...self } : part.kind),
            verbs: part.verbs,
          })),
        }
      : {}),
  }
}

function aggregatedReviews(group: string, version: string): JsonObject[] {
  return (reviews[`${group}/${version}`] ?? []).map(([plural, kind]) => ({
    resource: plural,
    responseKind: { group, version, kind },
    scope: kind.startsWith('Local') ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: ['create'],
  }))
}

export function coreVersions(address: string): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] }
}

export function groupList(registry: Registry): JsonObject {
  const names = [...groupsOf(registry).keys()].filter((group) => group !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map((group) => bareGroup(registry, group) as JsonObject) }
}

function bareGroup(registry: Registry, group: string): JsonObject | undefined {
  const versions = groupsOf(registry).get(group)?.map((version) => ({ groupVersion: `${group}/${version}`, version }))
  if (versions?.[0] === undefined || group === '') return undefined
  return { name: group, versions, preferredVersion: versions[0] }
}

export function oneGroup(registry: Registry, group: string): JsonObject | undefined {
  const found = bareGroup(registry, group)
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...found }
}

export function resourceList(registry: Registry, group: string, version: string): JsonObject | undefined {
  const kinds = registry.ofVersion(group, version)
  const asked = reviews[`${group}/${version}`] ?? []
  if (kinds.length === 0 && asked.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: [
      ...kinds.flatMap(resourcesOf),
      ...asked.map(([plural, kind]) => ({ name: plural, singularName: kind.toLowerCase(), namespaced: kind.startsWith('Local'), kind, verbs: ['create'] })),
    ],
  }
}

function resourcesOf(kind: Kind): JsonObject[] {
  const hash = createHash('sha256').update(`${kind.storageGroup ?? kind.group}/${kind.storageVersion}/${kind.kind}`).digest().subarray(0, 8).toString('base64')
  return [
    {
      name: kind.plural,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: verbsOf(kind),
      ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
      ...(kind.categories.length > 0 ? { categories: [...kind.categories] } : {}),
      storageVersionHash: hash,
    },
    ...partsOf(kind).map((part) => ({
      name: `${kind.plural}/${part.name}`,
      singularName: '',
      namespaced: kind.namespaced,
      ...(part.kind.kind === kind.kind ? {} : { group: part.kind.group, version: part.kind.version }),
      kind: part.kind.kind,
      verbs: part.verbs,
    })),
  ]
}
