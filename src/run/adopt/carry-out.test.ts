import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from '#model/finding.ts'
import { never } from '#source/fixture.ts'
import { findAdoption } from '#store/adoptions.ts'
import { changesOfFinding, findingNow, saveFindings } from '#store/findings.ts'
import { saveStatus } from '#store/statuses.ts'
import { acceptFinding } from '../drift/commands.ts'
import { revertFinding } from '../drift/revert.ts'
import { askAdoption, askByPolicy } from './ask.ts'
import { carryOutAdoption } from './carry-out.ts'
import { adoptionPatch } from './patch.ts'
import { adoptPlace, deployment, forgeToken } from '../../../test/adopt-place.ts'
import type { AdoptPlace, Workspace, WorkspaceOptions } from '../../../test/adopt-place.ts'

const olga = { name: 'olga', emails: ['olga@shop.example'], grants: [] }
const claim = { signal: never, fence: async () => {}, assertLease: async () => {} }

let shared: AdoptPlace
let at: Workspace
beforeAll(async () => {
  shared = await adoptPlace()
})
afterAll(() => shared.stop())

/** Answers the head of the workspace's repository. */
async function place(options: WorkspaceOptions = {}): Promise<string> {
  at = await shared.workspace(options)
  expect(at.problems).toEqual([])
  return at.head
}

const run = () => carryOutAdoption(at.parts, at.finding, claim)
/** As the queue does, until there is nothing to do at once. */
async function carryOut(): Promise<number | undefined> {
  for (let turn = 0; turn < 5; turn += 1) {
    const again = (await run())?.again
    if (again === undefined || again > shared.clock.now()) return again
  }
  throw new Error('it never ends')
}
const state = async () => ({ finding: await findingNow(shared.store, at.finding), adoption: await findAdoption(shared.store, at.finding) })
const merge = (commit: string) => at.source.run('update-ref', 'refs/heads/main', commit)

test('a commit on a branch of its own, by who asked, with its trailers; the deployed branch is not touched, and the finding stays open', async () => {
  const head = await place()
  await askAdoption(at.parts, at.finding, olga, 'Black Friday')
  expect((await state()).finding).toMatchObject({ state: 'adopting' })
  expect(await carryOut()).toBe(shared.clock.now() + 7 * 86_400_000)
  const { adoption, finding } = await state()
  expect(adoption).toMatchObject({ state: 'proposed', repository: 'platform', pullRequest: null, edits: [{ file: 'api/production/deployment.yaml', line: 5, column: 13, before: '1', after: '3' }] })
  expect(finding).toMatchObject({ state: 'adopting' })
  expect(at.source.run('rev-parse', 'main')).toBe(head)
  expect(at.source.run('rev-parse', `plumbline/adopt-${at.finding}`)).toBe(adoption?.commit)
  expect(at.source.run('show', `plumbline/adopt-${at.finding}:api/production/deployment.yaml`)).toBe(deployment.replace('replicas: 1', 'replicas: 3').trimEnd())
  expect(at.source.run('log', '-1', '--format=%an <%ae>|%s|%(trailers:key=Reason,separator=;)|%(trailers:key=Finding)', `plumbline/adopt-${at.finding}`)).toBe(`olga <olga@shop.example>|Adopt spec.replicas of Deployment shop/api from production|Reason: Black Friday|Finding: ${at.finding}`)
  expect((await changesOfFinding(shared.store, at.finding, 9)).map(({ what, actor, reason }) => [what, actor, reason])).toEqual([['adopting', 'olga', 'Black Friday']])
})

test('asked twice, or carried out again after a crash, it finds the branch that is there; when the live value moved on, a commit goes on top', async () => {
  await place()
  await askAdoption(at.parts, at.finding, olga, 'why')
  await run()
  const first = (await state()).adoption?.commit
  await askAdoption(at.parts, at.finding, olga, 'once more')
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', commit: first, edits: [{ after: '3' }] })
  const { finding } = await state()
  await saveFindings(shared.store, [{ ...finding!, fields: [{ path: 'spec.replicas', declared: 1, live: 5 }] }], shared.clock.now())
  await askAdoption(at.parts, at.finding, olga, 'even more')
  await carryOut()
  const second = (await state()).adoption?.commit
  expect(at.source.run('rev-parse', `${second}^`)).toBe(first)
  merge(second!)
  await askAdoption(at.parts, at.finding, olga, 'is it there?')
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', commit: second, branch: 'main', edits: [] })
})

test('killed between the push and its record, it is taken up again without a second commit, and tells what the first one says', async () => {
  const head = await place()
  await askAdoption(at.parts, at.finding, olga, 'why')
  await expect(carryOutAdoption(at.parts, at.finding, { ...claim, fence: () => Promise.reject(new Error('killed')) })).rejects.toThrow('killed')
  const branch = `plumbline/adopt-${at.finding}`
  const pushed = at.source.run('rev-parse', branch)
  expect(await state()).toMatchObject({ finding: { state: 'adopting' }, adoption: { state: 'asked', commit: null } })
  shared.clock.advance(60_000)
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', commit: pushed, to: 'branch', branch, edits: [{ file: 'api/production/deployment.yaml', line: 5, column: 13, before: '1', after: '3' }] })
  expect(at.source.run('rev-list', '--count', `${head}..${branch}`)).toBe('1')
})

test('a pull request is opened where the repository has a forge; one that it refuses leaves the branch and says why', async () => {
  await place({ forge: true })
  await askAdoption(at.parts, at.finding, olga, 'why')
  await carryOut()
  expect((await state()).adoption).toMatchObject({ pullRequest: `${shared.forge.url}/shop/orders/pulls/1`, failure: null })
  expect(shared.forge.pulls).toMatchObject([{ branch: `plumbline/adopt-${at.finding}`, into: 'main', title: 'Adopt spec.replicas of Deployment shop/api from production', body: expect.stringContaining('spec.replicas: 1 -> 3') }])

  await place({ forge: true })
  await askAdoption(at.parts, at.finding, olga, 'why')
  await run()
  shared.forge.next = { status: 503, body: '{}' }
  await expect(run()).rejects.toMatchObject({ code: 'forge-refused' }) // tried again by the queue
  shared.forge.next = { status: 403, body: JSON.stringify({ message: `no, ${forgeToken}` }) }
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', pullRequest: null, failure: { code: 'forge-refused', message: expect.not.stringContaining(forgeToken) as never } })
})

test('what is not delivered by its deadline is a person’s again', async () => {
  await place()
  await askAdoption(at.parts, at.finding, olga, 'why')
  await carryOut()
  shared.clock.advance(7 * 86_400_000)
  expect(await carryOut()).toBeUndefined()
  expect(await state()).toMatchObject({ finding: { state: 'open', failure: { code: 'adopt-overdue' } }, adoption: { state: 'overdue' } })
  await askAdoption(at.parts, at.finding, olga, 'it takes longer')
  await carryOut()
  expect(await state()).toMatchObject({ finding: { state: 'adopting', failure: null }, adoption: { state: 'proposed' } })
})

describe('a person decides otherwise on what is on its way back', () => {
  const week = 7 * 86_400_000
  const accept = () => acceptFinding(at.parts, at.finding, olga, 'only for the sale', shared.clock.now() + week)
  const history = async () => (await changesOfFinding(shared.store, at.finding, 9)).map(({ what, actor, reason }) => [what, actor, reason])

  test('accepted, it is an obligation no more; its branch stays, as whoever decided is told, and is found when it is asked for again', async () => {
    await place()
    await askAdoption(at.parts, at.finding, olga, 'Black Friday')
    await carryOut()
    const pushed = (await state()).adoption?.commit
    await accept()
    expect(await state()).toMatchObject({ finding: { state: 'accepted', accepted: { reason: 'only for the sale' } }, adoption: { state: 'withdrawn', commit: pushed, edits: [{ after: '3' }] } })
    expect(await history()).toEqual([['adopting', 'olga', 'Black Friday'], ['withdrawn', 'olga', `it is accepted instead; delete plumbline/adopt-${at.finding} of platform`], ['accepted', 'olga', 'only for the sale']])
    shared.clock.advance(2 * week)
    expect(await carryOut()).toBeUndefined()
    expect((await state()).adoption).toMatchObject({ state: 'withdrawn' })
    await askAdoption(at.parts, at.finding, olga, 'it stays after all')
    await carryOut()
    expect(await state()).toMatchObject({ finding: { state: 'adopting', accepted: null }, adoption: { state: 'proposed', commit: pushed, reason: 'it stays after all' } })
  })

  test('reverted, where there is anything to go back to; a pull request is to be closed, too', async () => {
    await place({ forge: true })
    await askAdoption(at.parts, at.finding, olga, 'why')
    await carryOut()
    const asked = { by: 'olga', reason: 'one is enough', ticket: null }
    await expect(revertFinding(at.parts, at.finding, asked)).rejects.toMatchObject({ code: 'revert-impossible' })
    expect(await state()).toMatchObject({ finding: { state: 'adopting' }, adoption: { state: 'proposed' } })
    await saveStatus(shared.store, { environment: 'production', module: 'api', repository: 'platform', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'passed', readinessOnly: true, intent: 'i', delivered: 'i', snapshot: 's', snapshotSeq: 1, run: null, verifiedSince: null, failure: null, verifiedAt: null, staleAt: null, movedAt: null, movedWhy: null, updatedAt: 0 })
    const run = await revertFinding(at.parts, at.finding, asked)
    expect(await state()).toMatchObject({ finding: { state: 'reverting', run }, adoption: { state: 'withdrawn' } })
    const { pullRequest } = (await state()).adoption ?? {}
    expect((await history()).slice(-2)).toEqual([['withdrawn', 'olga', `it is reverted instead; close ${pullRequest}, and delete plumbline/adopt-${at.finding} of platform`], ['reverted', 'olga', 'one is enough']])
    await expect(accept()).rejects.toMatchObject({ code: 'finding-under-way', message: `it is reverting by ${run}` })
  })

  test('while it is being pushed: that it was pushed all the same is told, and is no obligation', async () => {
    await place()
    await askAdoption(at.parts, at.finding, olga, 'why')
    await carryOutAdoption(at.parts, at.finding, { ...claim, assertLease: accept })
    expect(await state()).toMatchObject({ finding: { state: 'accepted' }, adoption: { state: 'withdrawn', repository: 'platform', commit: at.source.run('rev-parse', `plumbline/adopt-${at.finding}`) } })
    expect((await history())[1]).toEqual(['withdrawn', 'olga', `it is accepted instead; if plumbline/adopt-${at.finding} is there already, delete it`])
  })

  test('what a sandbox has pushed to the branch that is followed is delivered, unless Git says otherwise', async () => {
    await place({ drift: '', finding: { environment: 'sandbox' } })
    await askAdoption(at.parts, at.finding, olga, 'why')
    await carryOut()
    await accept()
    expect((await history())[1]?.[2]).toMatch(/^it is accepted instead; [0-9a-f]{8} of platform is on the branch that is followed, and is delivered unless it is taken back there$/)
  })
})

test('what no edit does is refused with the reason, and the finding is a person’s again', async () => {
  await place({ files: { 'api/module.yaml': 'apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: api }\nspec: { target: cluster, source: { path: production } }\n' } })
  await askAdoption(at.parts, at.finding, olga, 'why')
  expect(await carryOut()).toBeUndefined()
  expect(await state()).toMatchObject({ finding: { state: 'open', failure: { code: 'adopt-no-place' } }, adoption: { state: 'refused', failure: { code: 'adopt-no-place' } } })
  expect(at.source.run('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main')
})

test('a sandbox that wants it so has it pushed to the branch that is followed; no other tier may', async () => {
  const head = await place({ drift: '', finding: { environment: 'sandbox' } })
  await askAdoption(at.parts, at.finding, olga, 'why')
  await carryOut()
  const { adoption } = await state()
  expect(adoption).toMatchObject({ state: 'proposed', to: 'deployed' })
  expect(at.source.run('rev-parse', 'main')).toBe(adoption?.commit)
  expect(at.source.run('rev-parse', 'main^')).toBe(head)
  await expect(place({ drift: ', drift: { adopt: { push: deployed } }' })).rejects.toMatchObject({ code: 'configuration-invalid' })
})

test('by policy, once for what there is', async () => {
  await place({ finding: { decision: 'adopt' } })
  const { finding } = await state()
  await askByPolicy(shared.store, at.parts, [finding!], undefined, shared.clock.now())
  await carryOut()
  expect((await state()).adoption).toMatchObject({ state: 'proposed', by: 'plumbline' })
  await saveFindings(shared.store, [finding!], shared.clock.now())
  await askByPolicy(shared.store, at.parts, [finding!], undefined, shared.clock.now())
  expect((await state()).finding).toMatchObject({ state: 'open' })
})

test('a patch is made without a push; what is secret, another’s, our own label, an item under another key or resolved is not adopted', async () => {
  await place()
  const { patch, edits } = await adoptionPatch(at.parts, (await state()).finding!, never)
  expect(patch).toContain('-  replicas: 1 # enough\n+  replicas: 3 # enough\n')
  expect(edits).toHaveLength(1)
  expect(at.source.run('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main')
  const ask = async (finding: Partial<Finding>) => {
    await place({ finding })
    return askAdoption(at.parts, at.finding, olga, 'why').then(() => 'asked', (error: { code?: string }) => error.code)
  }
  expect(await ask({ fields: [{ path: 'data.password', declared: null, live: null, secret: true }] })).toBe('adopt-secret')
  expect(await ask({ cause: 'orphan', fields: [] })).toBe('adopt-unfit')
  const label = { path: 'metadata.labels["plumbline.dev/module"]', declared: 'api', live: null }
  expect(await ask({ fields: [label] })).toBe('adopt-unfit')
  expect(await ask({ fields: [label, { path: 'spec.replicas', declared: 1, live: 3 }] })).toBe('asked')
  await carryOut()
  expect(await state()).toMatchObject({ adoption: { state: 'proposed', edits: [{ before: '1', after: '3' }] } })
  expect(at.source.run('log', '-1', '--format=%B', `plumbline/adopt-${at.finding}`)).not.toContain('plumbline.dev/module')
  expect(await ask({ fields: [{ path: 'spec.ports[port=80,protocol="TCP"].name', declared: 'http', live: null, instead: 'spec.ports[port=81,protocol="TCP"]' }] })).toBe('adopt-unfit')
  expect(await ask({ state: 'resolved' })).toBe('finding-resolved')
  expect(await ask({ state: 'reverting', run: 'run-1' })).toBe('finding-under-way')
  expect(await ask({ environment: 'nowhere' })).toBe('environment-unknown')
})
