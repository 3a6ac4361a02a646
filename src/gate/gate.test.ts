import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { digestOf } from '#lib/digest.ts'
import type { Limits } from '#model/config/workspace.ts'
import type { Effect, Plan } from '#model/plan.ts'
import { decideGate, rules } from './gate.ts'
import type { EarlierModule, GateInput } from './rule.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const minute = 60_000
const effect = (key: string, more: Partial<Effect> = {}): Effect => ({ key, module: 'web', action: 'created', changes: [], omit: [], force: false, holdsState: false, desired: digestOf(1), ...more })
const deleted = (key: string, more: Partial<Effect> = {}): Effect => {
  const { desired: _, ...rest } = effect(key, { action: 'deleted', ...more })
  return rest
}
const plan = (effects: readonly Effect[], more: Partial<Plan> = {}): Plan => ({
  environment: 'production',
  snapshot: 's-1',
  steps: [{ module: 'web', track: 'declarative', driver: 'kubernetes', target: 'cluster', dependsOn: [], waves: [effects] }],
  unknown: [],
  digest: digestOf('plan'),
  ...more,
})
const free: GateInput = {
  run: 'run-1',
  plan: plan([effect('core/ConfigMap/shop/a')]),
  policy: { deliver: { automatic: true }, review: { approvals: 0, notTheAuthor: true } },
  policyChanges: [],
  modules: [{ module: 'web', repository: 'shop', secrets: [], isGone: false, held: 0 }],
  limits: { shop: 'everything' },
  approvals: [],
  mayApprove: ['ada', 'bob', 'eve'],
  pauses: [],
  authors: ['ada'],
  strangers: [],
  earlier: [],
  startedBy: null,
  now,
}
const approval = (principal: string, objects: string[] = [], planDigest: string = digestOf('plan')): GateInput['approvals'][number] => ({ principal, planDigest, reason: 'fine', objects, at: now })
const idle = plan([effect('core/ConfigMap/shop/a', { action: 'unchanged' })])
function word(code: string, more: Partial<GateInput>) {
  return decideGate({ ...free, ...more }).decisions.find((decision) => decision.code === code)
}

test('nothing in the way: go, without a word', () => {
  expect(decideGate(free)).toEqual({ outcome: 'go', decisions: [] })
})

test('one refusal refuses, else one wait waits; every rule is asked', () => {
  const waits = decideGate({ ...free, policy: { deliver: { automatic: false }, review: { approvals: 1, notTheAuthor: true } } })
  expect(waits).toMatchObject({ outcome: 'wait', decisions: [{ code: 'deliver.automatic' }, { code: 'review.approvals' }] })
  expect(decideGate({ ...free, policy: { deliver: { automatic: false }, review: { approvals: 1, notTheAuthor: true } }, limits: {} }).outcome).toBe('refuse')
  expect(decideGate({ ...free, policy: { deliver: { automatic: false }, review: { approvals: 0, notTheAuthor: true } }, startedBy: 'bob' }).outcome).toBe('go')
})

test('every rule is in the list, with a code of its own, and its decisions bear it', () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'gate.ts' && name !== 'rule.ts')
  expect(rules).toHaveLength(files.length)
  expect(new Set(rules.map(({ code }) => code)).size).toBe(rules.length)
})

describe('an operation', () => {
  const nothing = plan([], { steps: [] })
  const policy = { deliver: { automatic: false }, review: { approvals: 1, notTheAuthor: true } }
  const drill = { operation: { name: 'drill', steps: ['promote (sql on db: select pg_promote())', 'look (probe sql up)'], scheduled: false }, plan: nothing, policy, startedBy: 'ada', authors: ['ada'] }
  test('needs the approvals that its environment asks for, by others than who starts it, and nothing else', () => {
    expect(decideGate({ ...free, ...drill })).toMatchObject({ outcome: 'wait', decisions: [{ code: 'review.approvals', message: expect.stringContaining('carries out the operation drill: promote (sql on db: select pg_promote()); look (probe sql up).') }] })
    expect(decideGate({ ...free, ...drill, approvals: [approval('ada')] }).outcome).toBe('wait')
    expect(decideGate({ ...free, ...drill, approvals: [approval('bob')] }).outcome).toBe('go')
  })
  test('waits while its environment is paused where its schedule began it, and not where a person did', () => {
    const pauses = [{ module: null, reason: 'a holiday', by: 'ada', until: now + minute }]
    expect(word('pause', { ...drill, pauses })).toBeUndefined()
    expect(word('pause', { ...drill, operation: { ...drill.operation, scheduled: true }, pauses })).toMatchObject({ outcome: 'wait', until: now + minute })
  })
})

describe('rollback', () => {
  const verdict = { of: 'run-0', by: 'verdict' } as const
  test('what goes back is said to, by whom it was decided', () => {
    expect(word('rollback', {})).toBeUndefined()
    expect(word('rollback', { rollback: verdict })).toMatchObject({ outcome: 'allow', message: expect.stringContaining('The verdict of run-0 decided it') })
    expect(word('rollback', { rollback: { of: null, by: 'person' } })).toMatchObject({ outcome: 'allow' })
  })
  test('a verdict deletes no data, not even with a yes; a person may, object by object', () => {
    const claims = plan([deleted('core/Namespace//old', { holdsData: ['core/PersistentVolumeClaim/old/db'] }), deleted('core/PersistentVolumeClaim/shop/data', { holdsState: true })])
    const yes = { plan: claims, approvals: [approval('bob', ['core/PersistentVolumeClaim/old/db', 'core/PersistentVolumeClaim/shop/data', 'core/Namespace//old'])] }
    expect(word('rollback', { ...yes, rollback: verdict })).toMatchObject({ outcome: 'refuse', message: expect.stringMatching(/PersistentVolumeClaim old\/db.*PersistentVolumeClaim shop\/data/) })
    expect(word('rollback', { ...yes, rollback: { of: null, by: 'person' } })).toMatchObject({ outcome: 'allow' })
  })
})

describe('plan.applicable', () => {
  const failure = { code: 'kubernetes-unreachable', subject: 'cluster', message: 'no answer', retry: 'later' as const }
  test('anything unknown refuses all, also without a failure that says so', () => {
    expect(word('plan.applicable', { plan: plan([], { unknown: [failure] }) })).toMatchObject({ outcome: 'refuse', message: expect.stringMatching(/cluster: no answer/) })
    expect(word('plan.applicable', { plan: plan([effect('core/ConfigMap/shop/a', { action: 'unknown' })]) })).toMatchObject({ outcome: 'refuse', message: expect.stringMatching(/ConfigMap shop\/a/) })
  })
  test('anything refused refuses all, with its hint, and no approval helps', () => {
    const refused = { code: 'object-exists', subject: 'x', message: 'x exists already', hint: 'take over', retry: 'never' as const }
    expect(word('plan.applicable', { plan: plan([effect('a/b/c/d', { action: 'skipped', refused }), effect('a/b/c/e', { refused })]), approvals: [approval('bob')] })).toMatchObject({ outcome: 'refuse', message: 'x exists already (and 1 more such).', hint: 'take over' })
  })
})

describe('limits', () => {
  const limits: Limits = { environments: ['prod*'], targets: ['cluster'], namespaces: ['shop-*', 'shop'], kinds: 'namespaced', secrets: ['vault:kv/*/shop#*'] }
  const listed: Limits = { ...limits, kinds: ['ConfigMap', 'Deployment.apps', 'Namespace'] }
  test.each<[string, Limits, Effect, string[], RegExp | undefined]>([
    ['inside', limits, effect('core/ConfigMap/shop-a/x'), ['vault:kv/prod/shop#url'], undefined],
    ['no limits', 'everything', effect('core/Namespace//kube-system'), ['env:ROOT'], undefined],
    ['another namespace', limits, effect('core/ConfigMap/kube-system/x'), [], /namespace kube-system is not listed/],
    ['a star does not cross a slash, nor match a part', { ...limits, namespaces: ['shop'] }, effect('core/ConfigMap/shop-a/x'), [], /namespace shop-a/],
    ['a cluster-scoped kind', limits, effect('rbac.authorization.k8s.io/ClusterRole//admin'), [], /kind ClusterRole\.rbac\.authorization\.k8s\.io is not listed/],
    ['a kind that is listed', listed, effect('apps/Deployment/shop/x'), [], undefined],
    ['a kind that is not listed', listed, effect('apps/StatefulSet/shop/x'), [], /StatefulSet\.apps/],
    ['the same kind of another group', listed, effect('example.dev/Deployment/shop/x'), [], /Deployment\.example\.dev/],
    ['a namespace of its own', listed, effect('core/Namespace//shop-b'), [], undefined],
    ['another’s namespace itself', listed, effect('core/Namespace//kube-system'), [], /namespace kube-system/],
    ['deleting what earlier limits let in', limits, deleted('core/ConfigMap/kube-system/x'), [], undefined],
    ['deleting where it may deliver nothing any more', { ...limits, environments: [] }, deleted('core/ConfigMap/shop/x'), [], /environment production/],
    ['what stays as it is counts, too', limits, effect('core/ConfigMap/kube-system/x', { action: 'unchanged' }), [], /kube-system/],
    ['another’s secret', limits, effect('core/ConfigMap/shop/x'), ['vault:kv/prod/orders#url'], /secret vault:kv\/prod\/orders#url/],
    ['a secret deeper down', limits, effect('core/ConfigMap/shop/x'), ['vault:kv/a/b/shop#url'], /vault:kv\/a\/b\/shop#url/],
    ['another target', { ...limits, targets: ['db'] }, effect('core/ConfigMap/shop/x'), [], /target cluster/],
    ['another environment', { ...limits, environments: ['staging'] }, effect('core/ConfigMap/shop/x'), [], /environment production/],
    ['nothing listed', { environments: [], targets: [], namespaces: [], kinds: [], secrets: [] }, effect('core/ConfigMap/shop/x'), [], /environment production.*target cluster.*allow\.kinds.*allow\.namespaces/],
  ])('%s', (_name, shop, one, secrets, message) => {
    const decision = word('limits', { plan: plan([one]), limits: { shop }, modules: [{ module: 'web', repository: 'shop', secrets, isGone: false, held: 0 }], approvals: [approval('bob')] })
    expect(decision === undefined ? undefined : decision.outcome).toBe(message === undefined ? undefined : 'refuse')
    expect(decision?.message ?? '').toMatch(message ?? /^$/)
  })
  test('a module whose repository is not known is refused', () => {
    for (const more of [{ modules: [] }, { limits: {} }, { limits: { other: 'everything' as const } }]) expect(word('limits', more)).toMatchObject({ outcome: 'refuse' })
    expect(word('limits', { modules: [{ module: 'web', repository: 'constructor', secrets: [], isGone: false, held: 0 }] })).toMatchObject({ outcome: 'refuse' })
  })
  test('a module that is gone from Git is let go, whatever became of its repository and of its limits', () => {
    const gone = { module: 'web', repository: 'shop', secrets: [], isGone: true, held: 1 }
    for (const limits of [{}, { shop: { environments: [], targets: [], namespaces: [], kinds: [], secrets: [] } }]) expect(word('limits', { limits, modules: [gone], plan: plan([deleted('core/ConfigMap/shop/x')]) })).toBeUndefined()
    expect(word('deletion.mass', { limits: {}, modules: [gone], plan: plan(Array.from({ length: 11 }, (_, at) => deleted(`core/ConfigMap/shop/${at}`))) })).toMatchObject({ outcome: 'wait' })
  })
  test('what is no longer ours and stays is not touched', () => {
    expect(word('limits', { limits: { shop: limits }, plan: plan([deleted('core/ConfigMap/kube-system/x', { action: 'skipped' })]) })).toBeUndefined()
  })
})

test('deliver.automatic: waits for a person, unless one started it or there is nothing to do', () => {
  const policy = { ...free.policy, deliver: { automatic: false } }
  expect(word('deliver.automatic', { policy })).toMatchObject({ outcome: 'wait', waitingFor: 'person', hint: 'plumb deploy -e production' })
  expect(word('deliver.automatic', { policy, startedBy: 'bob' })).toMatchObject({ outcome: 'allow', by: ['bob'] })
  expect(word('deliver.automatic', { policy, plan: idle })).toBeUndefined()
})

describe('deliver.after', () => {
  const policy = { ...free.policy, deliver: { automatic: true, after: { environment: 'staging', verifiedFor: 10 * minute } } }
  const wanted = digestOf('staging')
  const good: EarlierModule = { module: 'web', desiredDigest: wanted, delivered: wanted, verifiedSince: now - 10 * minute }
  const { verifiedSince: _, ...unverified } = good
  const { delivered: __, ...undelivered } = good
  test.each<[string, readonly EarlierModule[], 'allow' | 'wait', RegExp]>([
    ['delivered and verified for long enough', [good], 'allow', /verified in staging/],
    ['nothing is known', [], 'wait', /web \(not known\)/],
    ['what it wants is not known', [{ ...good, desiredDigest: undefined }], 'wait', /not known/],
    ['it renders nothing there', [{ module: 'web', desiredDigest: null }], 'allow', /verified in staging/],
    ['not delivered', [undelivered], 'wait', /not delivered/],
    ['something else is delivered', [{ ...good, delivered: digestOf('old') }], 'wait', /not delivered/],
    ['not verified', [unverified], 'wait', /not verified/],
    ['not for long enough', [{ ...good, verifiedSince: now - 9 * minute }], 'wait', /until 2026-01-01T12:01:00Z/],
    ['another module', [{ ...good, module: 'api' }], 'wait', /not known/],
  ])('%s', (_name, earlier, outcome, message) => {
    expect(word('deliver.after', { policy, earlier })).toMatchObject({ outcome, message: expect.stringMatching(message) })
  })
  test('says when to look again only where time alone decides', () => {
    expect(word('deliver.after', { policy, earlier: [{ ...good, verifiedSince: now - 9 * minute }] })?.until).toBe(now + minute)
    expect(word('deliver.after', { policy, earlier: [unverified] })?.until).toBeUndefined()
  })
  test('a module that this plan does not change need not be there', () => {
    expect(word('deliver.after', { policy, plan: idle })).toBeUndefined()
  })
})

test('a change of policy asks for the approvals of the policy before it, and says what changes', () => {
  const asked: Partial<GateInput> = { plan: plan([]), policy: { deliver: { automatic: true }, review: { approvals: 1, notTheAuthor: true } }, policyChanges: ['review.approvals: 1 -> 0'] }
  expect(word('review.approvals', asked)).toMatchObject({ outcome: 'wait', waitingFor: 'approval', message: 'production asks for 1 approval by others than the author; there are 0. This changes its policy: review.approvals: 1 -> 0.' })
  expect(word('review.approvals', { ...asked, approvals: [approval('ada')] })).toMatchObject({ outcome: 'wait' })
  expect(decideGate({ ...free, ...asked, approvals: [approval('bob')] }).outcome).toBe('go')
  expect(word('review.approvals', { ...asked, policyChanges: [] })).toBeUndefined()
})

describe('review.approvals', () => {
  const policy = (approvals: number, notTheAuthor = true): GateInput['policy'] => ({ deliver: { automatic: true }, review: { approvals, notTheAuthor } })
  test.each<[string, GateInput['policy'], GateInput['approvals'], 'allow' | 'wait', RegExp]>([
    ['nobody yet', policy(1), [], 'wait', /asks for 1 approval by others than the author; there are 0/],
    ['one of one', policy(1), [approval('bob')], 'allow', /by bob/],
    ['one of two', policy(2), [approval('bob')], 'wait', /asks for 2 approvals .* there is 1/],
    ['one person twice counts once', policy(2), [approval('bob'), approval('bob')], 'wait', /there is 1/],
    ['two of two', policy(2), [approval('eve'), approval('bob')], 'allow', /by bob, eve/],
    ['the author does not count', policy(1), [approval('ada')], 'wait', /ada does not count/],
    ['the author counts where the policy says so', policy(1, false), [approval('ada')], 'allow', /by ada/],
    ['another plan', policy(1), [approval('bob', [], digestOf('old'))], 'wait', /earlier approval was for another plan/],
  ])('%s', (_name, rules, approvals, outcome, message) => {
    const decision = word('review.approvals', { policy: rules, approvals })
    expect(decision).toMatchObject({ outcome, message: expect.stringMatching(message) })
    if (outcome === 'wait') expect(decision?.hint).toMatch(/^plumb approve run-1 --reason "…"/)
    else expect(decision?.hint).toBeUndefined()
  })
  test.each<[string, Partial<GateInput>, string]>([
    ['those who may and have not', {}, ', as one of those who may: bob, eve. With their token in PLUMB_TOKEN (an admin makes one: plumb token create NAME --role approver)'],
    ['nobody else', { mayApprove: ['ada'] }, ', as somebody else: nobody else may approve here yet. With a token of theirs in PLUMB_TOKEN (an admin makes one: plumb token create NAME --role approver)'],
    ['one has already', { policy: policy(2), approvals: [approval('bob')] }, ', as one of those who may: eve. With their token in PLUMB_TOKEN (an admin makes one: plumb token create NAME --role approver)'],
    ['no author is known here', { authors: [] }, ''],
    ['the author counts', { policy: policy(1, false) }, ''],
  ])('the hint tells who may, and how to act as another: %s', (_name, more, told) => {
    expect(word('review.approvals', { policy: policy(1), ...more })?.hint).toBe(`plumb approve run-1 --reason "…"${told}`)
  })
  test('an author whom nobody here is cannot be compared: that is said', () => {
    const told = / The author kim@home\.example is not known here and cannot be compared with who approves\.$/
    for (const approvals of [[], [approval('bob')]])
      expect(word('review.approvals', { policy: policy(1), strangers: ['kim@home.example'], approvals })?.message).toMatch(told)
    expect(word('review.approvals', { policy: policy(1), strangers: ['kim@home.example', 'lou@home.example'] })?.message).toContain('The authors kim@home.example, lou@home.example are not known here')
    expect(word('review.approvals', { policy: policy(1, false), strangers: ['kim@home.example'] })?.message).not.toContain('kim')
  })
  test('nothing to do needs no approval', () => {
    expect(word('review.approvals', { policy: policy(2), plan: idle })).toBeUndefined()
  })
})

test('review.approvals: how a module is proven is reviewed like what is done, also where nothing else is', () => {
  const policy = { ...free.policy, review: { approvals: 1, notTheAuthor: true } }
  const proven = (changes: readonly string[], more: Partial<Plan['steps'][number]> = {}): Plan => ({ ...idle, steps: idle.steps.map((step) => ({ ...step, ...more, proof: { digest: digestOf('how'), changes } })) })
  expect(word('review.approvals', { policy, plan: idle })).toBeUndefined()
  expect(word('review.approvals', { policy, plan: proven(['probes.page.http.status: 200 -> 500']) })).toMatchObject({ outcome: 'wait', message: expect.stringContaining('This changes how modules are proven: web: probes.page.http.status: 200 -> 500.') })
  expect(word('review.approvals', { policy, plan: proven([]) })).toMatchObject({ outcome: 'wait' })
  expect(word('review.approvals', { policy, plan: proven(['x']), approvals: [approval('bob')] })).toMatchObject({ outcome: 'allow', by: ['bob'] })
  expect(word('review.approvals', { policy, plan: proven(['x'], { failure: { code: 'x', subject: '', message: '', retry: 'never' } }) })).toBeUndefined()
})

describe('deletion.mass', () => {
  const many = (count: number, kind = 'core/ConfigMap'): Effect[] => Array.from({ length: count }, (_, index) => deleted(`${kind}/shop/c${index}`))
  const holding = (held: number): GateInput['modules'] => [{ module: 'web', repository: 'shop', secrets: [], isGone: false, held }]
  test.each<[string, readonly Effect[], number, RegExp | undefined]>([
    ['ten of many', many(10), 100, undefined],
    ['eleven', many(11), 100, /deletes 11 objects.*and 1 more\): more than 10 objects/],
    ['one of three', many(3), 3, undefined],
    ['two of four', many(2), 4, /2 of the 4 objects of web/],
    ['one of four', many(1), 4, undefined],
    ['a third exactly', many(2), 6, undefined],
    ['an empty namespace', [deleted('core/Namespace//old', { contents: 0 })], 9, undefined],
    ['a namespace with contents', [deleted('core/Namespace//old', { contents: 12 })], 9, /Namespace old with the 12 objects that it contains/],
    ['a namespace that was not counted', [deleted('core/Namespace//old')], 9, /was not counted/],
    ['a definition with one object', [deleted('apiextensions.k8s.io/CustomResourceDefinition//x', { contents: 1 })], 9, /the 1 object that/],
    ['changes, not deletions', [effect('core/Namespace//new')], 0, undefined],
  ])('%s', (_name, effects, held, message) => {
    const more = { plan: plan(effects), modules: holding(held) }
    const decision = word('deletion.mass', more)
    expect(decision?.outcome).toBe(message === undefined ? undefined : 'wait')
    expect(decision?.message ?? '').toMatch(message ?? /^$/)
    expect(word('deletion.mass', { ...more, approvals: [approval('bob')] })?.outcome).toBe(message === undefined ? undefined : 'allow')
    expect(word('deletion.mass', { ...more, approvals: [approval('bob', [], digestOf('old'))] })?.outcome).toBe(message === undefined ? undefined : 'wait')
  })
})

describe('deletion.state', () => {
  const db = deleted('core/PersistentVolumeClaim/shop/db', { holdsState: true })
  const logs = deleted('core/PersistentVolumeClaim/shop/logs', { holdsState: true })
  const outcome = (...approvals: GateInput['approvals']): string | undefined => word('deletion.state', { plan: plan([db, logs]), approvals })?.outcome
  test('each object has to be named in an approval of this very plan', () => {
    expect(outcome()).toBe('wait')
    expect(outcome(approval('bob'))).toBe('wait')
    expect(outcome(approval('bob', [db.key]))).toBe('wait')
    expect(outcome(approval('bob', [db.key, logs.key], digestOf('old')))).toBe('wait')
    expect(outcome(approval('bob', [db.key]), approval('eve', ['PersistentVolumeClaim shop/logs']))).toBe('allow')
    expect(outcome(approval('bob', ['*']))).toBe('wait')
  })
  test('it is said what, and how to name it', () => {
    expect(word('deletion.state', { plan: plan([db]) })).toMatchObject({ message: expect.stringMatching(/deletes data: PersistentVolumeClaim shop\/db/), hint: expect.stringMatching(/--object core\/PersistentVolumeClaim\/shop\/db/) })
  })
  test('what is in a namespace that goes has to be named too', () => {
    const namespace = plan([deleted('core/Namespace//shop', { contents: 7, holdsData: [db.key, logs.key] })])
    expect(word('deletion.state', { plan: namespace })).toMatchObject({ outcome: 'wait', message: expect.stringContaining('PersistentVolumeClaim shop/db, PersistentVolumeClaim shop/logs') })
    expect(word('deletion.state', { plan: namespace, approvals: [approval('bob', [db.key])] })).toMatchObject({ outcome: 'wait', hint: expect.stringContaining(`--object ${logs.key}`) })
    expect(word('deletion.state', { plan: namespace, approvals: [approval('bob', [db.key, logs.key])] })).toMatchObject({ outcome: 'allow', by: ['bob'] })
  })
  test('what is changed and not deleted needs no name', () => {
    expect(word('deletion.state', { plan: plan([effect('core/PersistentVolumeClaim/shop/db', { holdsState: true })]) })).toBeUndefined()
  })
})

test('contested: waits for an approval of this plan, and names the field, the object and the owner', () => {
  const more = { plan: plan([effect('apps/Deployment/shop/web', { action: 'configured', force: true, changes: [{ path: 'spec.replicas', state: 'contested', from: 9, to: 3, owner: 'kubectl' }] })]) }
  expect(word('contested', more)).toMatchObject({ outcome: 'wait', waitingFor: 'approval', message: expect.stringMatching(/spec\.replicas of Deployment shop\/web \(owned by kubectl\)/) })
  expect(word('contested', { ...more, approvals: [approval('bob')] })).toMatchObject({ outcome: 'allow', by: ['bob'] })
  expect(word('contested', { ...more, approvals: [approval('bob', [], digestOf('old'))] })?.outcome).toBe('wait')
})

describe('pause', () => {
  const paused = (module: string | null, until = now + minute): GateInput['pauses'] => [{ module, reason: 'release freeze', by: 'bob', until }]
  test('of the environment or of a module in the plan, with its reason and its end', () => {
    expect(word('pause', { pauses: paused(null) })).toMatchObject({ outcome: 'wait', waitingFor: 'pause', until: now + minute, message: 'production is paused by bob until 2026-01-01T12:01:00Z: release freeze.', by: ['bob'] })
    expect(word('pause', { pauses: paused('web') })?.message).toMatch(/^web is paused/)
  })
  test('not of another module, nor once it is over, nor where nothing is to be done', () => {
    expect(word('pause', { pauses: paused('api') })).toBeUndefined()
    expect(word('pause', { pauses: paused(null, now) })).toBeUndefined()
    expect(word('pause', { pauses: paused(null), plan: idle })).toBeUndefined()
  })
})
