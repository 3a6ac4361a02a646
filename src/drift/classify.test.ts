import { describe, expect, test } from 'vitest'
import type { Present, FieldFacts } from '#model/field-facts.ts'
import type { DeclaredField } from '#model/plan.ts'
import { judge } from '#plan/judge.ts'
import { classify, orphan, type Look } from './classify.ts'
import { compareDeclared, isDrifted } from './compare.ts'
import { at, heldOf, key, liveOf, ours, owner } from './testing.ts'

const fields: DeclaredField[] = [
  { path: 'metadata.labels.team', git: 'a' },
  { path: 'spec.replicas', git: 2 },
  { path: 'spec.template.spec.containers[name="app"].image', git: 'web:1', answered: 'registry/web:1' },
]
const image = 'spec.template.spec.containers[name="app"].image'
const body = (replicas: number | undefined, tag = 'registry/web:1', team: string | null = 'a'): Present['body'] => ({
  apiVersion: 'apps/v1', kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: team === null ? {} : { team } },
  spec: { ...(replicas === undefined ? {} : { replicas }), template: { spec: { containers: [{ name: 'app', image: tag }] } } },
})
const paths = fields.map(({ path }) => path)
const look = (observation: Look['observation'], more: Partial<Look> = {}): Look => ({ held: heldOf(fields), observation, audit: [], known: [], elevations: [], seenAt: at, ...more })
const without = (...left: string[]): string[] => paths.filter((path) => !left.includes(path))

describe('what is no drift', () => {
  test.each<[string, Present]>([
    ['what is as the server answered', liveOf(body(2), [ours(paths)])],
    ['what is as Git says, though the server once answered otherwise', liveOf(body(2, 'web:1'), [ours(paths)])],
    ['the declared value, whoever owns it now', liveOf(body(2), [ours(without('spec.replicas')), owner('kubectl-edit', ['spec.replicas'])])],
    ['a field that was never declared', liveOf({ ...body(2), status: { replicas: 9 }, metadata: { ...(body(2)['metadata'] as object), annotations: { note: 'x' } } }, [ours(paths), owner('kubectl-annotate', ['metadata.annotations.note'])])],
    ['what an autoscaler rightly moves', liveOf(body(7), [ours(without('spec.replicas')), owner('horizontal-pod-autoscaler', ['spec.replicas'])], { delegated: [{ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/web' }] })],
  ])('%s', (_, live) => {
    expect(classify(look(live))).toEqual([])
  })

  test('what was yielded, as long as whom it was yielded to is there', () => {
    const held = heldOf(fields.map((field) => (field.path === 'spec.replicas' ? { ...field, mark: 'yielded' as const } : field)))
    const owners = [ours(without('spec.replicas')), owner('horizontal-pod-autoscaler', ['spec.replicas'])]
    const delegated = [{ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/web' }]
    expect(classify(look(liveOf(body(7), owners, { delegated }), { held }))).toEqual([])
    expect(compareDeclared(held, liveOf(body(7), owners, { delegated })).delegated).toEqual([{ path: 'spec.replicas', declared: 2, live: 7, to: 'HorizontalPodAutoscaler shop/web' }])
    expect(classify(look(liveOf(body(7), owners), { held }))).toMatchObject([{ cause: 'controller', manager: 'horizontal-pod-autoscaler', fields: [{ path: 'spec.replicas', declared: 2, live: 7 }] }])
    expect(classify(look(liveOf(body(2), owners), { held }))).toEqual([])
  })

  test('exactly what a plan would leave alone as drifted, or in another form, in every combination of facts', () => {
    const both = [true, false]
    for (const asGit of both) for (const asAnswered of both) for (const own of both) for (const others of both) for (const delegated of both) {
      const facts: FieldFacts = { git: 'same', asGit, asAnswered, ours: own, others, delegated }
      const { state } = judge(facts)
      const planned = state === 'drifted' || (state === 'held' && !asAnswered)
      expect({ facts, drifted: isDrifted(facts) }).toEqual({ facts, drifted: planned })
    }
  })
})

describe('each cause, with its fields, its manager and its onset', () => {
  test('manual', () => {
    const live = liveOf(body(5), [ours(without('spec.replicas')), owner('kubectl', ['spec.replicas'], { subresource: 'scale' })])
    expect(classify(look(live))).toMatchObject([{
      cause: 'manual', fields: [{ path: 'spec.replicas', declared: 2, live: 5 }], manager: 'kubectl (scale)', person: null, onset: at,
      message: 'spec.replicas of Deployment shop/web is not what was declared, by kubectl (scale)', digest: expect.stringMatching(/^sha256:/), traces: [{ write: null, sought: { owners: [{ manager: 'kubectl', at }] } }],
    }])
  })

  test('several at once, each with its own fields', () => {
    const live = liveOf(body(5, 'other:2', null), [owner('kubectl-set', [image], { at: at - 5_000 }), owner('argocd-controller', ['spec.replicas'])])
    expect(classify(look(live)).map(({ cause, fields: of, onset }) => [cause, of.map(({ path, declared, live: value }) => [path, declared, value]), onset])).toEqual([
      ['unknown', [['metadata.labels.team', 'a', null]], null],
      ['controller', [['spec.replicas', 2, 5]], at],
      ['manual', [[image, 'registry/web:1', 'other:2']], at - 5_000],
    ])
  })

  test('an operator that writes twice, another field each time, and first by applying: one finding, since its first', () => {
    const live = liveOf(body(5, 'other:2'), [ours(['metadata.labels.team']), owner('web-operator', ['spec.replicas'], { operation: 'Apply', at: at - 9_000 }), owner('web-operator', [image])])
    expect(classify(look(live))).toMatchObject([{ cause: 'controller', manager: 'web-operator', person: null, onset: at - 9_000, fields: [{ path: 'spec.replicas', live: 5 }, { path: image, live: 'other:2' }] }])
  })

  test('a second GitOps controller by its field manager alone; one under a name that nobody knows, or that shares the field with us, is not guessed', () => {
    const by = (manager: string, mine: readonly string[]) => classify(look(liveOf(body(5), [ours(mine), owner(manager, ['spec.replicas'], { operation: 'Apply' })])))[0]
    for (const manager of ['argocd-controller', 'kustomize-controller', 'helm-controller']) expect(by(manager, without('spec.replicas'))).toMatchObject({ cause: 'controller', manager, person: null })
    expect(by('deploy-bot', without('spec.replicas'))).toMatchObject({ cause: 'unknown', manager: 'deploy-bot', person: null })
    expect(by('kustomize-controller', paths)).toMatchObject({ cause: 'unknown', person: null })
  })

  test('an audit source names the person of what left no trace', () => {
    const entry = { object: key, verb: 'patch', user: 'kim', manager: 'kubectl-label', at: at - 500 } as const
    const live = liveOf(body(2, undefined, null), [ours(without('metadata.labels.team'))])
    expect(classify(look(live, { audit: [entry] }))).toMatchObject([{ cause: 'manual', person: 'kim', manager: 'kubectl-label', onset: at - 500 }])
  })

  test('and stays named, with cause and onset, as long as it is the same edit', () => {
    const entry = { object: key, verb: 'patch', user: 'kim', manager: 'kubectl-edit', at: at - 500 } as const
    const live = (replicas: number, when: number, manager = 'kubectl-edit') => liveOf(body(replicas), [ours(without('spec.replicas')), owner(manager, ['spec.replicas'], { at: when })])
    const [first] = classify(look(live(5, at - 1_000), { audit: [entry] }))
    expect(first).toMatchObject({ cause: 'manual', person: 'kim', onset: at - 500 })
    // Its manager’s time has moved on, and the audit source has forgotten: the edit is the same.
    const known = first?.traces ?? []
    expect(classify(look(live(5, at + 90_000), { known, seenAt: at + 90_000 }))).toEqual([first])
    expect(classify(look(live(6, at + 90_000), { known, seenAt: at + 90_000 }))).toMatchObject([{ cause: 'manual', person: null, onset: at + 90_000 }])
    expect(classify(look(live(5, at + 90_000, 'argocd-controller'), { known, seenAt: at + 90_000 }))).toMatchObject([{ cause: 'controller', person: null, onset: at + 90_000 }])
  })

  test('of a removed field and of a deleted object too, whenever they are looked at again', () => {
    const removed = liveOf(body(2, undefined, null), [ours(without('metadata.labels.team'))])
    const audit = [{ object: key, verb: 'patch', user: 'kim', manager: 'kubectl-label', at: at - 500 } as const]
    const known = classify(look(removed, { audit }))[0]?.traces ?? []
    expect(classify(look(removed, { known, audit, seenAt: at + 90_000 }))).toMatchObject([{ cause: 'manual', person: 'kim' }])
    const gone = { key, state: 'absent' } as const
    const deleted = classify(look(gone, { audit: [{ ...audit[0]!, verb: 'delete' }] }))[0]?.traces ?? []
    expect(classify(look(gone, { known: deleted, seenAt: at + 90_000 }))).toMatchObject([{ cause: 'missing', person: 'kim' }])
  })

  test('missing: absent, with and without an audit source', () => {
    expect(classify(look({ key, state: 'absent' }))).toMatchObject([{ cause: 'missing', manager: null, person: null, onset: null, fields: [] }])
    const audit = [{ object: key, verb: 'delete', user: 'kim', manager: 'kubectl', at: at - 100 } as const]
    expect(classify(look({ key, state: 'absent' }, { audit }))).toMatchObject([{ cause: 'missing', person: 'kim', onset: at - 100 }])
    // That one was before it was there as we applied it.
    expect(classify(look({ key, state: 'absent' }, { audit: [{ ...audit[0]!, at: at - 90_000 }], since: at - 60_000 }))).toMatchObject([{ cause: 'missing', person: null, onset: null }])
  })

  test('missing: being deleted, which nothing takes back', () => {
    expect(classify(look(liveOf(body(2), [ours(paths)], { terminating: true })))).toMatchObject([{ cause: 'missing', message: 'Deployment shop/web is being deleted' }])
  })

  test('recreated: another UID, with what differs', () => {
    const live = liveOf(body(1), [owner('kubectl-create', paths)], { uid: 'u2' })
    expect(classify(look(live))).toMatchObject([{ cause: 'recreated', manager: 'kubectl-create', onset: at, fields: [{ path: 'spec.replicas', declared: 2, live: 1 }] }])
  })

  test('recreated: a controller that wrote to it in the same second did not make it', () => {
    const live = liveOf(body(2), [owner('kube-controller-manager', ['metadata.annotations']), owner('kubectl-create', paths)], { uid: 'u2' })
    const audit = [{ object: key, at, verb: 'create', user: 'ivo@platform.example', manager: 'kubectl-create' } as const]
    expect(classify(look(live, { audit }))).toMatchObject([{ cause: 'recreated', manager: 'kubectl-create', person: 'ivo@platform.example' }])
    const byController = liveOf(body(2), [owner('kube-controller-manager', paths)], { uid: 'u2' })
    expect(classify(look(byController))).toMatchObject([{ cause: 'recreated', manager: 'kube-controller-manager' }])
  })

  const port = 'spec.ports[port=80,protocol="TCP"]'
  const service = heldOf([{ path: `${port}.name`, git: 'http' }, { path: `${port}.port`, git: 80 }, { path: `${port}.targetPort`, git: 'web' }, { path: 'spec.ports[port=90,protocol="TCP"].name', git: 'metrics' }])
  const metrics = { name: 'metrics', port: 90, protocol: 'TCP' }
  const portsAre = (...ports: object[]) => classify(look(liveOf({ spec: { ports } } as Present['body'], []), { held: service }))[0]
  test.each<[string, object[], string | undefined]>([
    ['another number', [{ name: 'http', port: 81, protocol: 'TCP', targetPort: 'web' }, metrics], 'spec.ports[port=81,protocol="TCP"]'],
    ['another number, and leads elsewhere', [metrics, { name: 'http', port: 81, targetPort: 'other' }], 'spec.ports[port=81,protocol="TCP"]'],
    ['none, and something else is there', [metrics, { name: 'grpc', port: 81, targetPort: 'grpc' }], undefined],
    ['none, and the rest is declared', [metrics], undefined],
  ])('an item of a list that has %s', (_, ports, instead) => {
    const drift = portsAre(...ports)
    expect(drift?.fields.map(({ path, live }) => [path, live])).toEqual(['name', 'port', 'targetPort'].map((name) => [`${port}.${name}`, null]))
    expect(drift?.fields.map((field) => field.instead)).toEqual([instead, instead, instead])
    expect(drift?.digest === portsAre(metrics)?.digest).toBe(instead === undefined)
  })

  test('orphan', () => {
    expect(orphan(liveOf(body(1), [owner('kubectl-create', ['spec.replicas'])]))).toMatchObject({ cause: 'orphan', manager: 'kubectl-create', fields: [] })
  })
})

test('the values of a Secret are not told, and yet another value is another drift', () => {
  const secret = 'core/Secret/shop/db'
  const held = heldOf([{ path: 'data.url', git: { digest: 'hmac:1' } }], { key: secret })
  const live = (digest: string): Present => liveOf({ apiVersion: 'v1', kind: 'Secret', data: { url: { digest } } }, [owner('kubectl-edit', ['data.url'])], { key: secret })
  const [first] = classify(look(live('hmac:2'), { held }))
  const [second] = classify(look(live('hmac:3'), { held }))
  expect(first?.fields).toEqual([{ path: 'data.url', declared: null, live: null, secret: true }])
  expect(JSON.stringify(first)).not.toContain('hmac')
  expect(second?.digest).not.toBe(first?.digest)
})
