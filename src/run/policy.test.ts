import { expect, test } from 'vitest'
import { z } from 'zod'
import { environmentSchema } from '#model/config/environment.ts'
import type { Environment } from '#model/config/environment.ts'
import type { Workspace } from '#model/config/workspace.ts'
import type { Sql } from '#store/sql.ts'
import { governed, limitsOf, policyChanges, policyDigest, policyIn, policyInForce } from './policy.ts'
import type { Policy } from './policy.ts'

const quiet = { quiet: [], adopt: { push: 'branch' as const, within: 604_800_000 }, digest: 600_000 }
const proof = { probes: [], changeProbes: [], verifyEvery: 300_000, freshFor: null, notify: [] }
const rest = { ...proof, targets: { cluster: { kubernetes: { context: 'prod' } } }, addresses: { ingress: 'http://10.0.0.10' }, reach: ['ingress'], limits: { platform: 'everything' } } as const satisfies Partial<Policy>
const policy: Policy = { ...rest, reach: [...rest.reach], tier: 'production', deliver: { automatic: true, after: { environment: 'staging', verifiedFor: 600_000 } }, review: { approvals: 1, notTheAuthor: true }, drift: { ...quiet, hotfix: 'hold' }, onFailure: 'halt' }

test('the same policy changes nothing, in whatever order it is written', () => {
  const other: Policy = { ...rest, onFailure: 'halt', reach: [...rest.reach], drift: { ...quiet, hotfix: 'hold' }, review: { notTheAuthor: true, approvals: 1 }, deliver: { after: { verifiedFor: 600_000, environment: 'staging' }, automatic: true }, tier: 'production' }
  expect(policyChanges(policy, other)).toEqual([])
  expect(policyDigest(policy, other)).toBe(policyDigest(policy, policy))
})

test('what changes is told by field, also what comes and what goes', () => {
  const { after: _, ...deliver } = policy.deliver
  const to: Policy = { ...policy, deliver, review: { ...policy.review, approvals: 0 }, drift: { ...quiet, hotfix: 'hold', manual: 'revert' } }
  expect(policyChanges(policy, to)).toEqual([
    'deliver.after.environment: "staging" -> nothing',
    'deliver.after.verifiedFor: 600000 -> nothing',
    'drift.manual: nothing -> "revert"',
    'review.approvals: 1 -> 0',
  ])
})

test('an approval stands on the very change: from what, to what', () => {
  const weaker: Policy = { ...policy, review: { ...policy.review, approvals: 0 } }
  const weakest: Policy = { ...policy, review: { approvals: 0, notTheAuthor: false } }
  expect(new Set([policyDigest(policy, weaker), policyDigest(policy, weakest), policyDigest(weaker, policy), policyDigest(weakest, weaker)]).size).toBe(4)
})

test('hostile names in a policy reach a person as text alone', () => {
  const to = { ...policy, deliver: { automatic: true, after: { environment: 'x\n-> "approved"', verifiedFor: 0 } } } as Policy
  expect(policyChanges(policy, to)[0]).toBe('deliver.after.environment: "staging" -> "x\\n-> \\"approved\\""')
})

const allow = { targets: ['cluster'], namespaces: ['orders-*'], kinds: 'namespaced' as const, secrets: [] }
const production = { apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'production' }, spec: { ...policy, variables: { region: 'north' } } } as unknown as Environment
function workspace(environments: readonly string[]): { workspace: Workspace } {
  const repository = (limits: unknown) => ({ url: '.', branch: 'main', allow: limits })
  return { workspace: { spec: { repositories: { platform: repository('everything'), orders: repository({ environments, ...allow }) } } } as unknown as Workspace }
}

test('what is delivered to, what may be reached and what a repository may deliver here are part of it', () => {
  const from = policyIn(production, workspace(['production']))
  const moved = { ...production, spec: { ...production.spec, targets: { cluster: { kubernetes: { context: 'other' } } }, addresses: {}, reach: ['ingress', 'cluster'] } }
  expect(policyChanges(from, policyIn(moved, workspace(['*'])))).toEqual([
    'addresses.ingress: "http://10.0.0.10" -> nothing',
    'reach: ["ingress"] -> ["cluster","ingress"]',
    'targets.cluster.kubernetes.context: "prod" -> "other"',
  ])
  expect(policyChanges(from, policyIn(production, workspace(['sandbox'])))).toEqual(['kinds', 'namespaces', 'secrets', 'targets'].map((name) => expect.stringMatching(new RegExp(`^limits\\.orders\\.${name}: .+ -> nothing$`))))
})

const schema = environmentSchema({ sql: z.strictObject({ target: z.string(), max: z.number() }) })
const document = (more: object): Environment => schema.parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'production' }, spec: { tier: 'production', targets: {}, ...more } })
const lag = (max: number) => ({ name: 'lag', sql: { target: 'orders-db', max } })

test('all that an environment’s document says is part of it, but its variables', () => {
  const { metadata: _, ...said } = schema.shape
  const { variables: __, ...parts } = said.spec.shape
  expect(Object.keys(policyIn(document({}), workspace([]))).sort()).toEqual([...Object.keys(parts), 'limits'].sort())
})

test('what proves an environment, how often that is asked, how long it counts and who is told are part of it, told by their names', () => {
  const from = policyIn(document({ probes: [lag(10), { ...lag(1), name: 'other' }], notify: [{ name: 'ops', slack: { url: { secretRef: 'env:OPS' } }, events: ['alert'] }] }), workspace([]))
  const to = policyIn(document({ probes: [{ ...lag(1), name: 'other' }, lag(60)], changeProbes: [{ ...lag(5), every: '1s' }], verifyEvery: '1h', freshFor: '9d' }), workspace([]))
  expect(policyChanges(from, to)).toEqual([
    ...['across: nothing -> []', 'every: nothing -> 1000', 'need: nothing -> "all"', 'settle: nothing -> 0', 'sql.max: nothing -> 5', 'sql.target: nothing -> "orders-db"', 'timeout: nothing -> 5000', 'within: nothing -> 60000'].map((leaf) => `changeProbes.lag.${leaf}`),
    'freshFor: null -> 777600000',
    'notify.ops.events: ["alert"] -> nothing',
    'notify.ops.slack.url.secretRef: "env:OPS" -> nothing',
    'probes.lag.sql.max: 10 -> 60',
    'verifyEvery: 300000 -> 3600000',
  ])
  expect(governed(document({}), to).spec).toMatchObject({ verifyEvery: 3_600_000, freshFor: 777_600_000, probes: [{ name: 'other' }, { name: 'lag' }] })
  expect(policyChanges(from, policyIn(document({ probes: [{ ...lag(1), name: 'other' }, lag(10)], notify: from.notify }), workspace([])))).toEqual([])
})

const store = (config: object | undefined): Sql => ({ query: async () => (config === undefined ? [] : [{ config: JSON.parse(JSON.stringify(config)) as object, snapshot: 's', at: 1 }]) }) as unknown as Sql

test('what was accepted is in force, also where the document said nothing then; what was no part of a policy then is as it is written', async () => {
  const accepted = policyIn(document({ probes: [lag(10)] }), workspace([]))
  const now = document({ probes: [lag(60)], freshFor: '9d', verifyEvery: '1h' })
  expect(await policyInForce(store(undefined), now, workspace([]))).toEqual(policyIn(now, workspace([])))
  expect(await policyInForce(store(accepted), now, workspace([]))).toEqual(accepted)
  const { probes: _, changeProbes: __, freshFor: ___, verifyEvery: ____, notify: _____, ...older } = accepted
  expect(await policyInForce(store(older), now, workspace([]))).toMatchObject({ ...older, probes: [{ name: 'lag', config: { max: 60 } }], freshFor: 777_600_000, verifyEvery: 3_600_000 })
})

test('until another one is accepted an environment is as the old one has it, but for what is no part of a policy', () => {
  const moved = { ...production, spec: { ...production.spec, variables: { region: 'south' }, targets: {}, addresses: { ingress: 'http://10.0.0.99' } } }
  expect(governed(moved, policy).spec).toMatchObject({ variables: { region: 'south' }, targets: policy.targets, addresses: policy.addresses })
})

test('a repository that a policy does not list may deliver nothing', () => {
  const listed = policyIn(production, workspace(['prod*']))
  expect(limitsOf(listed, 'production', 'orders')).toEqual({ environments: ['production'], ...allow })
  expect(limitsOf(listed, 'production', 'platform')).toBe('everything')
  const nothing = { environments: [], targets: [], namespaces: [], kinds: [], secrets: [] }
  expect(limitsOf(policyIn(production, workspace(['staging'])), 'production', 'orders')).toEqual(nothing)
  expect(limitsOf(listed, 'production', 'constructor')).toEqual(nothing)
})
