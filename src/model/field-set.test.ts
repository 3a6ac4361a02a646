import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { readPath, setPath } from './field-path.ts'
import { declaredPaths, fieldSetOf, ownerName, ownershipOf } from './field-set.ts'
import { listKeysOf } from './list-keys.ts'
import type { Owner } from './plan.ts'

const owner = (manager: string, paths: string[], more: Partial<Owner> = {}): Owner => ({ manager, operation: 'Apply', subresource: '', paths, ...more })

test('the leaves of a field set: fields, items, members; an item is named only where nothing below it is', () => {
  const set = {
    'f:metadata': { 'f:labels': { 'f:a.b/c': {} }, 'f:finalizers': { 'v:"x"': {} }, 'f:ownerReferences': { 'k:{"uid":"1"}': {} } },
    'f:spec': { '.': {}, 'f:labels': { '.': {} }, 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {}, 'f:name': {} } }, 'f:rules': { 'i:0': {} } },
  }
  expect(fieldSetOf(set)).toEqual([
    'metadata.finalizers[="x"]',
    'metadata.labels["a.b/c"]',
    'metadata.ownerReferences[uid="1"]',
    'spec.containers[name="main"].image',
    'spec.containers[name="main"].name',
    'spec.labels',
    'spec.rules[0]',
  ])
  expect(fieldSetOf({})).toEqual([])
})

test('what is no field set is refused, and not half read', () => {
  const deep = (depth: number): JsonObject => (depth === 0 ? {} : { 'f:a': deep(depth - 1) })
  for (const set of [{ x: {} }, { 'k:{': {} }, { 'k:{}': {} }, { 'k:{"a":{}}': {} }, { 'v:[1]': {} }, { 'i:-1': {} }, { 'i:x': {} }, { 'f:a': 1 }, { 'f:a': null }, deep(500)] as JsonObject[]) {
    expect(() => fieldSetOf(set)).toThrow(/FieldsV1/)
  }
})

const deployment = 'apps/Deployment/shop/web'
const web: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', creationTimestamp: null, labels: { app: 'web' }, annotations: {} },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'web', image: 'web:1', args: ['-v'], ports: [{ containerPort: 80 }], env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }], resources: { limits: { cpu: '1' } } }],
        initContainers: [{ name: 'init', image: 'i:1' }],
        volumes: [{ name: 'tmp', emptyDir: {} }],
        imagePullSecrets: [{ name: 'pull' }],
        tolerations: [],
        hostAliases: [],
      },
    },
  },
  status: { replicas: 5 },
}

describe('the paths that a body declares', () => {
  test('a Deployment, by the table of built-in kinds', () => {
    const pod = 'spec.template.spec'
    expect(declaredPaths(web, listKeysOf(deployment))).toEqual(
      [
        'metadata.annotations',
        'metadata.labels.app',
        'spec.replicas',
        'spec.selector',
        'spec.template.metadata.labels.app',
        `${pod}.containers[name="web"].args`,
        `${pod}.containers[name="web"].env[name="A"].name`,
        `${pod}.containers[name="web"].env[name="A"].valueFrom.secretKeyRef`,
        `${pod}.containers[name="web"].image`,
        `${pod}.containers[name="web"].name`,
        `${pod}.containers[name="web"].ports[containerPort=80,protocol="TCP"].containerPort`,
        `${pod}.containers[name="web"].resources.limits.cpu`,
        `${pod}.imagePullSecrets[name="pull"]`,
        `${pod}.initContainers[name="init"].image`,
        `${pod}.initContainers[name="init"].name`,
        `${pod}.tolerations`,
        `${pod}.volumes[name="tmp"].emptyDir`,
        `${pod}.volumes[name="tmp"].name`,
      ].sort(),
    )
  })

  test('a kind that nobody knows: its lists are atomic, until a live object shows how they are merged', () => {
    const key = 'example.dev/Widget/shop/w'
    const body: JsonObject = { spec: { parts: [{ id: 'a', n: 1 }], tags: ['x'], choice: { a: 1 }, none: [] } }
    expect(declaredPaths(body, listKeysOf(key))).toEqual(['spec.choice.a', 'spec.none', 'spec.parts', 'spec.tags'])
    const learnt = listKeysOf(key, { body, owners: [owner('x', ['spec.parts[id="b"].n', 'spec.tags[="y"]', 'spec.choice'])] })
    expect(declaredPaths(body, learnt)).toEqual(['spec.choice', 'spec.none', 'spec.parts[id="a"].id', 'spec.parts[id="a"].n', 'spec.tags[="x"]'])
    const declaredBefore = listKeysOf(key, { owners: [], declared: ['spec.parts[id="a"].n'] })
    expect(declaredPaths(body, declaredBefore)).toContain('spec.parts[id="a"].n')
  })

  test('what the server shows wins over the table', () => {
    const learnt = listKeysOf(deployment, { body: web, owners: [owner('x', ['spec.template.spec.containers', 'spec.selector.matchLabels.app'])] })
    const paths = declaredPaths(web, learnt)
    expect(paths).toContain('spec.template.spec.containers')
    expect(paths).toContain('spec.selector.matchLabels.app')
  })

  test('an empty map that one owns tells nothing of maps with content', () => {
    const learnt = listKeysOf('example.dev/Widget//w', { body: { spec: { labels: { b: 1 } } }, owners: [owner('one', ['spec.labels']), owner('two', ['spec.labels.b'])] })
    expect(declaredPaths({ spec: { labels: { a: 1 } } }, learnt)).toEqual(['spec.labels.a'])
  })

  test('items without their keys, or twice the same, cannot be told apart: the list is one leaf', () => {
    const pod = (containers: JsonObject['x'][]): JsonObject => ({ spec: { containers } as JsonObject })
    for (const list of [[{ image: 'x' }], [{ name: 'a' }, { name: 'a' }], ['a'], [null], [{ name: {} }]]) {
      expect(declaredPaths(pod(list as never), listKeysOf('core/Pod/a/b'))).toEqual(['spec.containers'])
    }
    expect(declaredPaths({ metadata: { finalizers: ['a', 'a'] } }, listKeysOf('core/Pod/a/b'))).toEqual(['metadata.finalizers'])
  })

  test('every declared path reads a leaf, and the leaves put together are the body again', () => {
    const listKeys = listKeysOf(deployment)
    let rebuilt: JsonObject = {}
    for (const path of declaredPaths(web, listKeys)) {
      expect(readPath(web, path)).toBeDefined()
      rebuilt = setPath(rebuilt, path, readPath(web, path) ?? null)
    }
    expect(declaredPaths(rebuilt, listKeys).filter((path) => !path.endsWith('protocol'))).toEqual(declaredPaths(web, listKeys))
    for (const path of declaredPaths(web, listKeys)) expect(readPath(rebuilt, path)).toEqual(readPath(web, path))
  })
})

describe('who owns a path', () => {
  const live = {
    owners: [
      owner('plumbline', ['spec.replicas', 'spec.labels']),
      owner('kubectl', ['spec.replicas'], { operation: 'Update', subresource: 'scale' }),
      owner('two', ['spec.labels.b', 'spec.selector', 'spec.raw.a.b']),
    ],
  }
  const names = (path: string): string[] => ownershipOf(live).of(path).map(ownerName)
  test('its own owners, in order', () => expect(names('spec.replicas')).toEqual(['plumbline', 'kubectl/Update/scale']))
  test('the owner of the atomic that it lies in', () => expect(names('spec.selector.matchLabels.app')).toEqual(['two']))
  test('not the owner of an empty map beside which others own content', () => expect(names('spec.labels.a')).toEqual([]))
  test('whoever owns something below it', () => expect(names('spec.raw.a')).toEqual(['two']))
  test('nobody', () => expect(names('spec.other')).toEqual([]))
})

// The recorded answers of a real API server, where this checkout has them beside it (they are no part of the repository).
const transcripts = new URL('../../../shared/kubernetes-transcripts/', import.meta.url)
test.skipIf(!existsSync(transcripts))('against recorded applies: what we say an apply declares is what the server says its manager owns (skipped without the recordings)', () => {
  let compared = 0
  for (const file of readdirSync(transcripts).filter((name) => /^apply-.*\.json$/.test(name))) {
    const recorded = JSON.parse(readFileSync(new URL(file, transcripts), 'utf8')) as { steps: { say: string; request: { method: string; path: string; body?: JsonObject }; response?: { status: number; body?: JsonObject } }[] }
    for (const { say, request, response } of recorded.steps) {
      const manager = /fieldManager=([^&]+)/.exec(request.path)?.[1]
      const answer = response?.body as { metadata?: { managedFields?: { manager: string; operation: string; subresource?: string; fieldsV1: JsonObject }[] } } | undefined
      const entries = answer?.metadata?.managedFields
      const own = entries?.find((entry) => entry.manager === manager && entry.operation === 'Apply' && entry.subresource === undefined)
      if (request.method !== 'PATCH' || typeof request.body !== 'object' || own === undefined || entries === undefined) continue
      if (/null|status/.test(file) || request.path.includes('/status') || request.path.includes('/racks')) continue // nulls are defaulted or dropped field by field
      const owners = entries.map((entry) => owner(entry.manager, fieldSetOf(entry.fieldsV1)))
      const learnt = listKeysOf('example.dev/Widget/default/a', { body: answer as JsonObject, owners })
      const empty = (path: string): boolean => JSON.stringify(readPath(request.body, path)) === '[]' || readPath(request.body, path) === null
      const shown = (paths: string[]): unknown => ({ file, say, paths: paths.filter((path) => !empty(path)) })
      expect(shown(declaredPaths(request.body, learnt))).toEqual(shown(fieldSetOf(own.fieldsV1)))
      compared += 1
    }
  }
  expect(compared).toBeGreaterThan(40)
})
