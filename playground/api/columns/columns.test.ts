import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KubernetesObject } from '#playground/contract.ts'
import { builtInKinds } from '../kinds.ts'
import { tableOf } from '../table.ts'

type Table = { columnDefinitions: { name: string; type: string; priority: number }[]; rows: { cells: unknown[] }[] }

const kinds = new Map(builtInKinds(() => undefined).map((kind) => [`${kind.group}/${kind.plural}`, kind]))

function table(resource: string, objects: object[]): Table {
  const kind = kinds.get(resource)
  if (kind === undefined) throw new Error(`there is no ${resource}`)
  return tableOf(kind, objects as KubernetesObject[], {}, 'None', Date.parse('2026-01-01T00:01:00Z')) as unknown as Table
}

const recorded = JSON.parse(readFileSync(new URL('recorded-columns.json', import.meta.url), 'utf8')) as Record<string, [string, string, number?][]>

describe('built-in kinds have the columns that a Kubernetes 1.36.3 server answered', () => {
  test('all of them', () => expect(Object.keys(recorded)).toEqual([...kinds.keys()].sort()))

  test.each(Object.entries(recorded))('%s', (resource, columns) => {
    const ours = table(resource, []).columnDefinitions.map(({ name, type, priority }) => (priority === 0 ? [name, type] : [name, type, priority]))
    expect(ours).toEqual(columns)
  })
})

describe('cells', () => {
  const cells = (resource: string, object: object): unknown[] => {
    const made = table(resource, [{ metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' }, ...object }])
    return made.rows[0]?.cells ?? []
  }

  test('of an autoscaler show two metrics of any source, and how many more', () => {
    const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }
    const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } }
    const queue = { type: 'External', external: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '5' } } }
    const hits = { type: 'Pods', pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '10' } } }
    const scaleTargetRef = { kind: 'Deployment', name: 'web' }
    const of = (metrics: object[], currentMetrics: object[] = []): unknown[] => cells('autoscaling/horizontalpodautoscalers', { spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 4, metrics }, status: { currentReplicas: 3, currentMetrics } })
    expect(of([cpu, memory], [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10 } } }])).toEqual(['x', 'Deployment/web', 'cpu: 10%/80%, memory: <unknown>/1Gi', '2', 4, 3, '60s'])
    expect(of([queue, hits, cpu])[2]).toBe('<unknown>/5 (avg), <unknown>/10 + 1 more...')
    expect(of([])[2]).toBe('<none>')
  })

  test('of a quota show what is used of what is allowed', () => {
    const status = { hard: { pods: '10', 'limits.cpu': '4', 'requests.cpu': '2' }, used: { pods: '3' } }
    expect(cells('/resourcequotas', { status })).toEqual(['x', 'pods: 3/10, requests.cpu: 0/2', 'limits.cpu: 0/4', '60s'])
  })

  test('of a binding name whom it binds', () => {
    const subjects = [{ kind: 'User', name: 'ann' }, { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' }, { kind: 'ServiceAccount', name: 'here' }]
    expect(cells('rbac.authorization.k8s.io/rolebindings', { roleRef: { kind: 'Role', name: 'r' }, subjects })).toEqual(['x', 'Role/r', '60s', 'ann', '', 'shop/robot, /here'])
  })
})
