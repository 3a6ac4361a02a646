import { expect, test } from 'vitest'
import { snapshotOf } from '#model/snapshot.ts'
import { Fixture, never } from '#source/fixture.ts'
import { savePin } from '#store/pins.ts'
import { createRun, updateRun } from '#store/runs.ts'
import { acceptPolicy, saveSnapshot } from '#store/snapshots.ts'
import { saveStatus } from '#store/statuses.ts'
import { describeStores } from '../../test/stores.ts'
import type { Parts } from './parts.ts'
import { releaseCommits } from './release-commits.ts'

describeStores('Commits that mirrors hold', ({ open }) => {
  test('are let go when no kept run, record or environment needs them, and held again where a mirror was made anew', async () => {
    const sql = await open()
    using fixture = new Fixture()
    const source = fixture.repository('shop')
    const mirror = fixture.mirror(source.path, { name: 'shop' })
    const repositories = { names: () => ['shop'], mirror: () => mirror, has: async (_: string, sha: string) => mirror.commit(sha).then(() => true, () => false) } as unknown as Parts['repositories']
    const of = new Map<string, string>()
    /** A snapshot of a commit of its own; `id` of it is `s(what)`. */
    const s = (what: string): string => snapshotOf({ shop: of.get(what) ?? '' }).id
    for (const what of ['old', 'recorded', 'open', 'held', 'delivered', 'pinned', 'policy', 'recent', 'newest']) {
      of.set(what, source.commit({ what }))
      await saveSnapshot(sql, snapshotOf({ shop: of.get(what) ?? '' }), 0)
    }
    await mirror.fetch(never)
    const run = async (id: string, snapshot: string, state: 'succeeded' | 'planning', modules = {}): Promise<void> => {
      await createRun(sql, { id, environment: 'dev', kind: 'change', snapshot, actor: '', reason: '', ticket: null, startedBy: null, changes: [], modules, createdAt: 0 })
      await updateRun(sql, id, state, 0)
    }
    await run('run-old', s('old'), 'succeeded')
    await run('run-recorded', s('recorded'), 'succeeded')
    await sql.query(`insert into record (environment, seq, digest, run, text) values ('dev', 0, 'd', 'run-recorded', '{}')`)
    await run('run-open', s('open'), 'planning', { web: { intent: 'i', changed: true, snapshot: s('held') } })
    for (let at = 0; at < 200; at += 1) await run(`run-${at}`, s('recent'), 'succeeded')
    await saveStatus(sql, { environment: 'dev', module: 'web', repository: 'shop', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'passed', readinessOnly: true, intent: 'i', delivered: 'i', snapshot: s('delivered'), snapshotSeq: 1, run: null, verifiedSince: null, failure: null, verifiedAt: null, staleAt: null, movedAt: null, movedWhy: null, updatedAt: 0 })
    await savePin(sql, 'dev', 'web', { snapshot: s('pinned'), intent: 'i', by: 'person', actor: '', reason: '', ticket: null, at: 0, run: null, bad: null, git: null, before: { intent: 'i', delivery: 'synced', failure: null } }, 0)
    await acceptPolicy(sql, 'dev', {}, s('policy'), 0)

    await mirror.keep(of.get('old') ?? '', of.get('recorded') ?? '')
    await releaseCommits({ sql, repositories })
    expect((await mirror.kept()).sort()).toEqual([...of].flatMap(([what, sha]) => (what === 'old' ? [] : [sha])).sort())
    await sql.close()
  })
})
