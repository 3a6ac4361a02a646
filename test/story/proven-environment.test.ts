import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ShowAnswer, StatusAnswer } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { policyOf } from '#store/snapshots.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const asks = (name: string, cel: string): string => `{ name: ${name}, within: 1s, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: web, cel: "${cel}" } }`
const targets = '  targets: { cluster: { kubernetes: { context: dev } } }\n'
const spec = (wanted: string, whole = 'true', more = ''): string =>
  `  review: { approvals: 1 }\n  verifyEvery: 1s\n${targets}  variables: { wanted: "${wanted}" }\n  probes: [${asks('right', "object.data.a == '${wanted}'")}${more}]\n  changeProbes: [${asks('whole', whole)}]\n`
const environment = (name: string, more: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Environment\nmetadata: { name: ${name} }\nspec:\n  tier: sandbox\n${more}`
const dev = (...more: Parameters<typeof spec>): string => environment('dev', `  deliver: { automatic: true }\n${spec(...more)}`)
const set = (cel: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: ProbeSet\nmetadata: { name: shared }\nspec: { probes: [${asks('there', cel)}] }\n`

let shop: SmallShop
beforeAll(async () => {
  shop = await openSmallShop({
    environment: spec('1'),
    files: {
      'probes/shared.yaml': set("object.data.a == '${wanted}'"),
      'web/module.yaml': moduleFile('web', `  environments: [dev]\n  probeSets: [shared]\n  probes: [${asks('own', "object.data.a == '${wanted}'")}]\n`),
      'web/manifests/web.yaml': configMap('web'),
    },
  })
})
afterAll(() => shop?.stop())

const waiting = (commit: string, kind: ShowAnswer['kind']) =>
  shop.until(`a run of the kind ${kind} waits`, async () => (await shop.client.runs({ environment: 'dev' })).runs.find((run) => run.kind === kind && run.state === 'waiting' && run.changes.some(({ sha }) => sha === commit)))
const approved = async (run: ShowAnswer) => {
  await shop.client.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'I read it', objects: [] })
  return shop.until('it has ended', async () => {
    const now = await shop.client.show(run.id)
    return isEnded(now.state) ? now : undefined
  })
}
type Probes = StatusAnswer['environments'][number]['probes']
/** What every probe of the environment, or of the module, found in a look that began after this. */
const looked = async (whose: 'environment' | 'module') => {
  const since = Date.now()
  const probes = await shop.until(`the ${whose} is looked at`, async (): Promise<Probes | undefined> => {
    const [place] = (await shop.client.status()).environments
    const found = (whose === 'environment' ? place?.probes : place?.modules[0]?.probes)?.filter(({ probe }) => probe !== 'change/whole')
    return found !== undefined && found.length > 0 && found.every(({ askedAt }) => Date.parse(askedAt) > since) ? found : undefined
  })
  return Object.fromEntries(probes.map(({ probe, verdict }) => [probe, verdict]))
}

test('until people let them through, neither an environment’s own probes nor what variables make of any are asked as a commit has them', async () => {
  expect(await approved(await shop.until('the first waits', async () => (await shop.client.runs({})).runs.find((run) => run.state === 'waiting')))).toMatchObject({ state: 'succeeded' })

  const commit = await shop.push({ 'environments/dev.yaml': dev('2') }, 'Want 2')
  const policy = await waiting(commit, 'policy')
  const module = await waiting(commit, 'change')
  const changed = (probe: string): string => `probes.${probe}.kubernetes.cel: "object.data.a == '1'" -> "object.data.a == '2'"`
  expect(policy.waiting[0]?.message).toContain(`This changes its policy: ${changed('right')}.`)
  expect(module.steps[0]?.proof).toEqual([changed('own'), changed('shared/there')])
  expect(await looked('environment')).toEqual({ right: 'passed' })
  expect(await looked('module')).toEqual({ own: 'passed', 'shared/there': 'passed' })

  expect(await approved(policy)).toMatchObject({ state: 'succeeded' })
  expect(await looked('environment')).toEqual({ right: 'failed' })
  expect(await looked('module')).toEqual({ own: 'passed', 'shared/there': 'passed' })
  expect(await approved(module)).toMatchObject({ state: 'failed', probes: expect.arrayContaining([expect.objectContaining({ probe: 'own', verdict: 'failed' }), expect.objectContaining({ probe: 'shared/there', verdict: 'failed' })]) })
})

test('a set is held against what the module was delivered with, and a change as a whole against what was accepted', async () => {
  const commit = await shop.push({ 'environments/dev.yaml': dev('2', 'false'), 'probes/shared.yaml': set('true'), 'web/manifests/web.yaml': configMap('web', '2') }, 'Two, and anything will do')
  const policy = await waiting(commit, 'policy')
  expect(policy.waiting[0]?.message).toContain('This changes its policy: changeProbes.whole.kubernetes.cel: "true" -> "false".')
  const module = await waiting(commit, 'change')
  expect(module.steps[0]?.proof).toEqual(['probes.shared/there.kubernetes.cel: "object.data.a == \'2\'" -> "true"'])
  expect(await approved(module)).toMatchObject({ state: 'succeeded', probes: expect.arrayContaining([expect.objectContaining({ probe: 'change/whole', verdict: 'passed' })]) })

  expect(await approved(policy)).toMatchObject({ state: 'succeeded' })
  const next = await waiting(await shop.push({ 'web/manifests/other.yaml': configMap('other') }, 'Another one'), 'change')
  expect(await approved(next)).toMatchObject({ state: 'failed', probes: expect.arrayContaining([expect.objectContaining({ probe: 'change/whole', verdict: 'failed' })]) })
})

test('whether an environment that comes first works is asked by the probes that were accepted of it', async () => {
  await approved(await waiting(await shop.push({ 'environments/dev.yaml': dev('2') }, 'As it was'), 'policy'))
  await shop.until('the environment works', async () => (await shop.client.status()).environments[0]?.verification === 'passed')
  const commit = await shop.push({
    'environments/dev.yaml': dev('2', 'true', `, ${asks('more', 'true')}`),
    'environments/prod.yaml': environment('prod', `  deliver: { automatic: true, after: { environment: dev } }\n${targets}`),
    'pair/module.yaml': moduleFile('pair').replace('path: manifests', 'path: "${environment}"'),
    'pair/dev/pair.yaml': configMap('pair-dev'),
    'pair/prod/pair.yaml': configMap('pair-prod'),
  }, 'Another environment')
  await waiting(commit, 'policy')
  expect(await approved(await waiting(commit, 'change'))).toMatchObject({ environment: 'dev', state: 'succeeded' })
  const prod = await shop.until('prod follows', async () => (await shop.client.runs({ environment: 'prod' })).runs.find(({ state }) => isEnded(state)))
  expect(prod).toMatchObject({ state: 'succeeded', gates: expect.arrayContaining([expect.objectContaining({ code: 'deliver.after', outcome: 'allow' })]) })
})

test('a policy that was accepted when none of this was part of one asks nobody: what stands is what the next is held against', async () => {
  const { sql } = shop.plane.parts
  const policies = async () => (await shop.client.runs({ environment: 'dev', limit: 200 })).runs.filter(({ kind }) => kind === 'policy')
  await approved((await policies()).find(({ state }) => state === 'waiting')!)
  const before = (await policies()).length
  await sql.query(`update policy set config = config - 'probes' - 'changeProbes' - 'verifyEvery' - 'freshFor' - 'notify' where environment = 'dev'`)
  await shop.push({ 'README.md': 'A word.' }, 'A word')
  const whole = await shop.until('it is whole', async () => ((config) => (config !== undefined && 'probes' in config ? config : undefined))((await policyOf(sql, 'dev'))?.config))
  expect(whole).toMatchObject({ probes: [{ name: 'right' }, { name: 'more' }], changeProbes: [{ name: 'whole' }], verifyEvery: 1_000, freshFor: null, notify: [] })
  expect(await policies()).toHaveLength(before)
  const weaker = await waiting(await shop.push({ 'environments/dev.yaml': dev('2') }, 'Less'), 'policy')
  expect(weaker.waiting[0]?.message).toContain('probes.more.kubernetes.cel: "true" -> nothing')
})
