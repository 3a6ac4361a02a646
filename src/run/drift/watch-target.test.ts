import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import type { Adoption } from '#model/adoption.ts'
import type { Finding } from '#model/finding.ts'
import { findAdoption, saveAdoption } from '#store/adoptions.ts'
import { saveAudit } from '#store/audit.ts'
import { saveFindings } from '#store/findings.ts'
import { hold } from '#store/inventory.ts'
import { createRun, endEffect, openJournal, startEffect, updateRun } from '#store/runs.ts'
import { saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { watches } from '#store/watches.ts'
import { eventually } from '../../../test/eventually.ts'
import { describeStores } from '../../../test/stores.ts'
import { asDeclared, declared, edited, FakePlace, findingsIn, holdMap, map, startWatcher, watchedParts } from './testing.ts'

const unreachable = new Failure({ code: 'kubernetes-unreachable', subject: 'place', message: 'it does not answer', retry: 'later' })

describeStores('a watcher', ({ store: openStore, open, kind }) => {
  let store: Store
  let place: FakePlace
  let watcher: { stop: () => Promise<void> } | undefined
  beforeEach(async () => {
    store = await openStore()
    await store.script('truncate adoption, audit_entry, finding, finding_change, drift_told, watch, inventory, effect, run, snapshot, event, work cascade')
    place = new FakePlace()
    place.objects.set(map('a'), asDeclared())
    place.objects.set(map('b'), asDeclared())
    await holdMap(store, 'a')
    await holdMap(store, 'b')
  })
  afterEach(async () => {
    await watcher?.stop()
    watcher = undefined
  })
  const start = async (options?: Parameters<typeof startWatcher>[2], spec?: object): Promise<void> => {
    watcher = await startWatcher(store, await watchedParts(store, place, spec), options)
    await eventually(async () => (await watches(store, Date.now()))[0]?.state === 'watching')
  }
  const found = (ask: (findings: readonly Finding[]) => boolean): Promise<readonly Finding[]> =>
    eventually(async () => {
      const findings = await findingsIn(store)
      return ask(findings) ? findings : undefined
    })

  test('sees nothing to look at where all is as declared', async () => {
    await start()
    expect(place.observed).toBe(0)
    expect(await findingsIn(store)).toEqual([])
    expect(await watches(store, Date.now())).toMatchObject([{ state: 'watching', objects: 2, isHeld: true }])
  })

  test('makes an edit a finding, updates it, and resolves it when it is taken back', async () => {
    await start()
    place.set(map('a'), edited('2'))
    const [opened] = await found((all) => all.length === 1)
    expect(opened).toMatchObject({ object: map('a'), cause: 'manual', state: 'open', module: 'web', environment: 'staging', target: 'cluster', fields: [{ path: 'data.a', declared: '1', live: '2' }], count: 1 })
    place.set(map('a'), edited('3'))
    await found(([one]) => one?.count === 2)
    place.set(map('a'), { ...asDeclared(), owners: edited('1').owners })
    expect(await found(([one]) => one?.state === 'resolved')).toMatchObject([{ id: opened?.id, count: 2 }])
  })

  test('tells what was put back by hand from what Git declares by now, and nothing is left to adopt in either', async () => {
    const told = async (): Promise<string | undefined> => (await store.query<{ reason: string }>(`select reason from finding_change where what = 'resolved' order by seq desc limit 1`, []))[0]?.reason
    await start()
    place.set(map('a'), edited('2'))
    const [opened] = await found((all) => all.length === 1)
    const finding: Finding = { ...opened!, state: 'adopting' }
    const adoption: Adoption = { finding: finding.id, environment: 'staging', state: 'proposed', by: 'olga', author: { name: 'olga', email: 'o@x' }, reason: 'why', askedAt: 1, deadline: 2, repository: 'orders', branch: 'plumbline/adopt-x', to: 'branch', commit: 'c9f09355', pullRequest: null, edits: [], renamed: [], unproven: [], failure: null, digest: finding.digest }
    await saveFindings(store, [finding], Date.now())
    await saveAdoption(store, adoption, Date.now())
    place.set(map('a'), { ...asDeclared(), owners: edited('1').owners })
    await found(([one]) => one?.state === 'resolved')
    expect(await told()).toBe('it is as declared again, by kubectl-edit; its adoption is withdrawn: delete plumbline/adopt-x of orders')
    expect(await findAdoption(store, finding.id)).toMatchObject({ state: 'withdrawn' })

    place.set(map('a'), edited('2'))
    await found(([one]) => one?.state === 'open')
    await saveSnapshot(store, { id: 'later', commits: { orders: '0123456789' } }, Date.now())
    await createRun(store, { id: 'run-7', environment: 'staging', kind: 'change', snapshot: 'later', actor: 'olga', reason: 'why', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: Date.now() })
    await holdMap(store, 'a', [{ path: 'data.a', git: '2' }], 'run-7')
    place.relist()
    await found(([one]) => one?.state === 'resolved')
    expect(await told()).toBe('Git declares it by now: delivered by run-7 (orders at 01234567), as it was adopted')
    expect(await findAdoption(store, finding.id)).toMatchObject({ state: 'delivered', delivered: { run: 'run-7', commit: '0123456789' } })

    place.set(map('a'), edited('3'))
    await found(([one]) => one?.state === 'open')
    place.delete(map('a'))
    const missing = (await found((all) => all.some(({ cause }) => cause === 'missing'))).find(({ cause }) => cause === 'missing')
    expect(await told()).toBe(`it is not as declared, and goes on as ${missing?.id}: missing`)
    place.set(map('b'), edited('2'))
    const ofB = async () => (await found((all) => all.some(({ object }) => object === map('b')))).find(({ object }) => object === map('b'))
    await ofB()
    place.set(map('b'), { ...edited('2'), delegated: [{ path: 'data.a', to: 'HorizontalPodAutoscaler shop/b' }] })
    await eventually(async () => (await ofB())?.state === 'resolved')
    expect(await told()).toBe('HorizontalPodAutoscaler shop/b rightly moves it from now on')
  })

  test('what is being deleted is missing, though all of it is as declared: at its event and at the next list; a policy reverts it when it is gone', async () => {
    await start({}, { drift: { missing: 'revert' } })
    place.set(map('a'), { ...asDeclared(), terminating: true })
    const [leaving] = await found((all) => all.length === 1)
    expect(leaving).toMatchObject({ object: map('a'), cause: 'missing', state: 'open', decision: 'report', message: 'ConfigMap shop/a is being deleted' })
    place.tells = false
    place.set(map('b'), { ...asDeclared(), terminating: true })
    place.relist()
    await found((all) => all.length === 2)
    place.tells = true
    place.delete(map('a'))
    const gone = await found((all) => all.some(({ message }) => message.includes('is gone')))
    expect(gone.find(({ object }) => object === map('a'))).toMatchObject({ id: leaving?.id, state: 'open', decision: 'revert', count: 2 })
  })

  test('events that come twice, late or in another order change nothing', async () => {
    await start()
    place.set(map('a'), edited('2'))
    const [before] = await found((all) => all.length === 1)
    const late = { state: 'seen', key: map('a'), uid: 'u', body: { data: { a: '1' } } } as const
    const observed = place.observed
    for (const one of [late, late, { state: 'gone', key: map('a') } as const, { ...late, body: edited('2').body }, late]) place.tell(one)
    await eventually(() => place.observed > observed)
    place.set(map('b'), edited('9'))
    await found((all) => all.length === 2)
    expect((await findingsIn(store)).find(({ id }) => id === before?.id)).toEqual(before)
  })

  test('what happened while nothing was told is found by the next list: an edit, a deletion, a return', async () => {
    await start()
    place.set(map('b'), edited('2'))
    await found((all) => all.length === 1)
    place.tells = false
    place.set(map('a'), edited('5'))
    place.set(map('b'), asDeclared())
    place.relist()
    await found((all) => all.some(({ object, state }) => object === map('a') && state === 'open') && all.some(({ object, state }) => object === map('b') && state === 'resolved'))
    place.delete(map('b'))
    place.relist()
    expect(await found((all) => all.some(({ cause }) => cause === 'missing'))).toHaveLength(3)
  })

  test('a list stands beside the watch: a watch that says nothing begins anew', async () => {
    await start({ relistMs: 100 })
    place.tells = false
    place.set(map('a'), edited('5'))
    await found((all) => all.length === 1)
    expect(place.lists).toBeGreaterThan(1)
  })

  test('what cannot be read opens and resolves nothing, and is looked at when it can be', async () => {
    await start()
    place.set(map('a'), edited('2'))
    const before = await found((all) => all.length === 1)
    place.trouble = unreachable
    place.set(map('a'), asDeclared())
    place.set(map('b'), edited('2'))
    place.delete(map('b'))
    await eventually(() => place.observed >= 5)
    expect(await findingsIn(store)).toEqual(before)
    place.trouble = undefined
    const after = await found((all) => all.length === 2 && all.some(({ state }) => state === 'resolved'))
    expect(after.map(({ object, cause, state }) => [object, cause, state])).toEqual(expect.arrayContaining([[map('b'), 'missing', 'open'], [map('a'), 'manual', 'resolved']]))
  })

  test('says since when a watch is down, and that it is not any more', async () => {
    await start()
    const before = Date.now()
    place.tell({ state: 'lost', failure: unreachable })
    const [down] = await eventually(async () => ((await watches(store, Date.now()))[0]?.state === 'down' ? watches(store, Date.now()) : undefined))
    expect(down).toMatchObject({ failure: { code: 'kubernetes-unreachable' } })
    expect(down?.since).toBeGreaterThanOrEqual(before)
    place.tell({ state: 'found' })
    await eventually(async () => (await watches(store, Date.now()))[0]?.state === 'watching')
  })

  test('a target that cannot be reached at first is tried again', async () => {
    place.trouble = unreachable
    watcher = await startWatcher(store, await watchedParts(store, place))
    await eventually(async () => (await watches(store, Date.now()))[0]?.state === 'down')
    place.trouble = undefined
    await eventually(async () => (await watches(store, Date.now()))[0]?.state === 'watching')
  })

  test('goes on where it was after a restart: what changed meanwhile is found, and nothing twice', async () => {
    await start()
    place.set(map('a'), edited('2'))
    await found((all) => all.length === 1)
    await watcher?.stop()
    place.set(map('b'), edited('7'))
    place.set(map('a'), asDeclared())
    await start()
    expect((await found((all) => all.length === 2 && all.some(({ state }) => state === 'resolved'))).map(({ object, state }) => [object, state])).toEqual(expect.arrayContaining([[map('a'), 'resolved'], [map('b'), 'open']]))
  })

  test.skipIf(kind === 'pglite')(`another process goes on where one has died: nothing is missed, and nothing found twice${kind === 'pglite' ? ' (a folder has one process)' : ''}`, async () => {
    const own = await open()
    const dying = await startWatcher(own, await watchedParts(own, place))
    try {
      await eventually(async () => (await watches(store, Date.now()))[0]?.state === 'watching')
      place.set(map('a'), edited('2'))
      const before = await found((all) => all.length === 1)
      watcher = await startWatcher(store, await watchedParts(store, place))
      expect(place.lists).toBe(1)
      // Its connections go, and with them its lock: the store sees no more of a process that was killed.
      await own.close()
      place.set(map('b'), edited('7'))
      const after = await found((all) => all.length === 2)
      expect(after.find(({ object }) => object === map('a'))).toMatchObject({ id: before[0]?.id, count: 1 })
      await eventually(async () => (await watches(store, Date.now()))[0]?.isHeld === true)
      expect(place.lists).toBe(2)
    } finally {
      await dying.stop()
    }
  })

  describe('what we do ourselves is no drift', () => {
    const effect = { key: map('a'), module: 'web', action: 'configured', changes: [], omit: [], force: false, holdsState: false } as const
    const begin = async (): Promise<void> => {
      await createRun(store, { id: 'run-2', environment: 'staging', kind: 'change', snapshot: 'snapshot', actor: 'a', reason: 'r', ticket: null, startedBy: null, changes: [], modules: { web: { intent: 'i', changed: true } }, createdAt: Date.now() })
      await openJournal(store, 'run-2', [effect])
      await updateRun(store, 'run-2', 'delivering', Date.now())
      await startEffect(store, 'run-2', effect, Date.now())
    }
    const end = (value: string): Promise<void> =>
      store.transaction(async (tx) => {
        await endEffect(tx, 'run-2', effect, { state: 'applied', action: 'configured' }, Date.now())
        await holdMap(tx as Store, 'a', [{ path: 'data.a', git: value }], 'run-2')
      })

    test('and what comes back when we had put it back is not of whoever made it so before', async () => {
      await saveAudit(store, 'staging', 'cluster', [{ id: 'kim’s', object: map('a'), verb: 'patch', user: 'kim', manager: 'kubectl-edit', at: 1_000 }])
      await start({}, { targets: { cluster: { kubernetes: { context: 'fake', audit: { webhook: { secretRef: 'env:AUDIT' } } } } } })
      place.set(map('a'), edited('2'))
      const [opened] = await found(([one]) => one?.person === 'kim')
      await saveFindings(store, [{ ...opened!, state: 'reverting', run: 'run-2' }], Date.now())
      await begin()
      await end('1')
      place.set(map('a'), edited('2'))
      expect(await found(([one]) => one?.person === null)).toMatchObject([{ id: opened?.id, state: 'reverting', fields: [{ path: 'data.a', live: '2' }] }])
    })

    test('though its event comes before the inventory knows', async () => {
      await start()
      await begin()
      place.set(map('a'), { uid: 'u', body: { data: { a: '2' } }, owners: asDeclared().owners })
      place.set(map('b'), edited('9'))
      expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('b') }])
      await end('2')
      place.set(map('b'), edited('10'))
      expect(await found(([one]) => one?.count === 2)).toMatchObject([{ object: map('b') }])
      expect(place.observed).toBe(2)
    })

    test('and what somebody else did meanwhile is found when we have ended', async () => {
      await start()
      await begin()
      place.set(map('a'), edited('3'))
      place.set(map('b'), edited('9'))
      expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('b') }])
      await end('2')
      const all = await found((findings) => findings.length > 1)
      expect(all.find(({ object }) => object === map('a'))).toMatchObject({ fields: [{ declared: '2', live: '3' }] })
    })

    test('also where the inventory changes between the look and the verdict', async () => {
      await start()
      let once = true
      place.beforeAnswer = async () => {
        if (!once) return
        once = false
        await begin()
        await end('2')
        place.objects.set(map('a'), { uid: 'u', body: { data: { a: '2' } }, owners: asDeclared().owners })
      }
      place.tell({ state: 'gone', key: map('a') })
      await eventually(() => place.observed > 1)
      place.set(map('b'), edited('9'))
      expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('b') }])
    })
  })

  test('what we make ourselves needs no look: it was seen, and is held a moment later', async () => {
    await start()
    place.set(map('new'), asDeclared())
    await holdMap(store, 'new')
    await store.transaction(async (tx) => {
      await createRun(tx, { id: 'run-3', environment: 'staging', kind: 'change', snapshot: 'snapshot', actor: 'a', reason: 'r', ticket: null, startedBy: null, changes: [], modules: {}, createdAt: Date.now() })
      await openJournal(tx, 'run-3', [{ key: map('new'), module: 'web', action: 'created', changes: [], omit: [], force: false, holdsState: false }])
      await endEffect(tx, 'run-3', { key: map('new'), module: 'web', action: 'created', changes: [], omit: [], force: false, holdsState: false }, { state: 'applied', action: 'created' }, Date.now())
    })
    place.set(map('new'), edited('2'))
    expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('new') }])
    expect(place.observed).toBe(1)
  })

  test('an object with a module’s label that nobody holds is an orphan, unless another brought it along; of many that are held none is looked at', async () => {
    // More than a page of the inventory.
    const names = Array.from({ length: 1_200 }, (_, i) => `many-${String(i).padStart(4, '0')}`)
    await store.query(
      `insert into inventory (place, key, uid, environment, module, desired, fields, run) select 'place', key, 'u', 'staging', 'web', 'sha256:run-1', $2::jsonb, 'run-1' from jsonb_array_elements_text($1::jsonb) as one (key)`,
      [names.map(map), declared],
    )
    for (const name of names) place.objects.set(map(name), asDeclared())
    await start()
    place.set(map('brought'), asDeclared('y'))
    // It can wait longest: all that was to be looked at before was.
    place.set(map('theirs'), { ...asDeclared('x'), claim: 'web' })
    expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('theirs'), cause: 'orphan', module: 'web' }])
    expect(place.observed).toBe(2)
    place.delete(map('theirs'))
    await found(([one]) => one?.state === 'resolved')
  })

  test('what an autoscaler moves is no finding until it is gone: its own watch tells, or the next list looks', async () => {
    await start()
    const scaled = { ...edited('7', 'horizontal-pod-autoscaler'), delegated: [{ path: 'data.a', to: 'HorizontalPodAutoscaler shop/a' }] }
    place.set(map('a'), scaled)
    place.set(map('b'), scaled)
    await eventually(() => place.observed >= 2)
    place.objects.set(map('a'), edited('7', 'horizontal-pod-autoscaler'))
    place.relist()
    expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('a'), cause: 'controller', fields: [{ path: 'data.a', declared: '1', live: '7' }] }])
    place.objects.set(map('b'), edited('7', 'horizontal-pod-autoscaler'))
    await eventually(() => place.isWatched('autoscaling/HorizontalPodAutoscaler'))
    place.tell({ state: 'gone', key: 'autoscaling/HorizontalPodAutoscaler/shop/b' })
    await found((all) => all.length === 2)
  })

  test('where the policy reverts, what would lose data and what was left to an autoscaler are not reverted by themselves', async () => {
    const set = 'apps/StatefulSet/shop/db'
    await hold(store, { place: 'place', key: set, uid: 'u', environment: 'staging', module: 'web', desired: 'sha256:1', fields: [{ path: 'spec.replicas', git: 3 }], run: 'run-1' })
    await holdMap(store, 'a', [{ path: 'data.a', git: '1', mark: 'yielded' }])
    const spec = { replicas: 5, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' } }
    place.objects.set(set, { uid: 'u', body: { spec }, owners: [{ manager: 'kubectl-edit', operation: 'Update', subresource: '', at: 1_000, paths: ['spec.replicas'] }] })
    place.objects.set(map('a'), edited('2'))
    await start({}, { drift: { manual: 'revert' } })
    expect((await found((all) => all.length === 2)).map(({ object, decision, state }) => [object, decision, state]).sort()).toEqual([[set, 'report', 'open'], [map('a'), 'hold', 'held']])
  })

  test('what has no way back says why, and holds up nothing else', async () => {
    place.objects.set(map('a'), edited('2'))
    place.objects.set(map('b'), edited('2'))
    await start({}, { drift: { manual: 'revert' } })
    expect(await found((all) => all.length === 2 && all.every(({ failure }) => failure !== null))).toMatchObject([{ state: 'open', failure: { code: 'revert-impossible' } }, { state: 'open', failure: { code: 'revert-impossible' } }])
  })

  test('what the policy ignores is no finding', async () => {
    await start({}, { drift: { manual: 'ignore', missing: 'hold' } })
    place.set(map('a'), edited('2'))
    place.delete(map('b'))
    expect(await found((all) => all.length > 0)).toMatchObject([{ object: map('b'), state: 'held', decision: 'hold' }])
  })
})
