import { describe, expect, test } from 'vitest'
import { equalJson, type Json, type JsonObject } from '#lib/json.ts'
import type { Present } from '#model/field-facts.ts'
import { readPath, removePaths, setPath } from '#model/field-path.ts'
import { declaredPaths } from '#model/field-set.ts'
import { listKeysOf } from '#model/list-keys.ts'
import type { DeclaredField, FieldPath, Owner } from '#model/plan.ts'
import { compareFields } from './fields.ts'

const key = 'core/Pod/shop/web'
const owner = (manager: string, paths: FieldPath[], more: Partial<Owner> = {}): Owner => ({ manager, operation: 'Apply', subresource: '', paths, ...more })
function present(body: JsonObject, owners: Owner[], delegated: Present['delegated'] = []): Present {
  return { key, state: 'present', uid: 'u', version: '1', body, owners, delegated, terminating: false }
}
const field = (path: FieldPath, git: Json, more: Partial<DeclaredField> = {}): DeclaredField => ({ path, git, ...more })

describe('one object, field by field', () => {
  const desired = { spec: { replicas: 2, image: 'a:1' } }
  const held = [field('spec.image', 'a:1'), field('spec.replicas', 2)]
  const ours = owner('plumbline', ['spec.image', 'spec.replicas'])

  test('as declared: nothing', () => {
    expect(compareFields(desired, held, present(desired, [ours]), 'plumbline')).toMatchObject({ changes: [], omit: [], force: false, write: false })
  })

  test('Git’s change', () => {
    expect(compareFields({ spec: { replicas: 3, image: 'a:1' } }, held, present(desired, [ours]), 'plumbline')).toEqual({
      changes: [{ path: 'spec.replicas', state: 'changed', from: 2, to: 3 }],
      omit: [],
      force: false,
      write: true,
      touched: ['spec.image', 'spec.replicas'],
    })
  })

  test('what the server answered is no drift, and what it made of it later is', () => {
    const answered = [field('spec.cpu', '1000m', { answered: '1' })]
    const body = (cpu: string): JsonObject => ({ spec: { cpu } })
    const mine = owner('plumbline', ['spec.cpu'])
    expect(compareFields(body('1000m'), answered, present(body('1'), [mine]), 'plumbline').changes).toEqual([])
    expect(compareFields(body('1000m'), answered, present(body('2'), [owner('kubectl', ['spec.cpu'], { operation: 'Update' })]), 'plumbline')).toMatchObject({
      changes: [{ path: 'spec.cpu', state: 'held', from: '2', to: '1000m', owner: 'kubectl/Update' }],
      write: false,
    })
  })

  test('a hotfix is left out of the apply that another change needs', () => {
    const live = present({ spec: { replicas: 9, image: 'a:1' } }, [owner('plumbline', ['spec.image']), owner('kubectl-edit', ['spec.replicas'], { operation: 'Update' })])
    expect(compareFields({ spec: { replicas: 2, image: 'a:2' } }, held, live, 'plumbline')).toEqual({
      changes: [
        { path: 'spec.image', state: 'changed', from: 'a:1', to: 'a:2' },
        { path: 'spec.replicas', state: 'held', from: 9, to: 2, owner: 'kubectl-edit/Update' },
      ],
      omit: ['spec.replicas'],
      force: false,
      write: true,
      touched: ['spec.image'],
    })
  })

  test('a replica count that an autoscaler moves is yielded, and its ticking value is not sealed', () => {
    const live = present(
      { spec: { replicas: 7, image: 'a:1' } },
      [owner('plumbline', ['spec.image']), owner('kube-controller-manager', ['spec.replicas'], { operation: 'Update', subresource: 'scale' })],
      [{ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/web' }],
    )
    expect(compareFields({ spec: { replicas: 3, image: 'a:1' } }, held, live, 'plumbline')).toMatchObject({
      changes: [{ path: 'spec.replicas', state: 'yielded', from: 7, to: 3, owner: 'HorizontalPodAutoscaler shop/web' }],
      write: false,
      touched: ['spec.image'],
    })
  })

  test('what was yielded to an autoscaler that is gone is held, also where the object is sent: nobody’s count is reset', () => {
    const yielded = held.map((one) => (one.path === 'spec.replicas' ? { ...one, mark: 'yielded' as const } : one))
    const live = present({ spec: { replicas: 7, image: 'a:1' } }, [owner('plumbline', ['spec.image']), owner('kube-controller-manager', ['spec.replicas'], { operation: 'Update', subresource: 'scale' })])
    expect(compareFields(desired, yielded, live, 'plumbline')).toMatchObject({ changes: [{ path: 'spec.replicas', state: 'held', from: 7, to: 2 }], write: false })
    expect(compareFields({ spec: { replicas: 2, image: 'a:2' } }, yielded, live, 'plumbline')).toMatchObject({ omit: ['spec.replicas'], force: false, write: true })
  })

  test('what an autoscaler moves by now is not brought back by a revert that was asked for before', () => {
    const owners = [owner('plumbline', ['spec.image']), owner('kube-controller-manager', ['spec.replicas'], { operation: 'Update', subresource: 'scale' })]
    const live = (...delegated: Present['delegated']) => compareFields(desired, held, present({ spec: { replicas: 7, image: 'a:1' } }, owners, delegated), 'plumbline', () => true)
    expect(live()).toMatchObject({ changes: [{ state: 'changed', to: 2 }], force: true, write: true })
    expect(live({ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/web' })).toMatchObject({ changes: [{ state: 'yielded' }], force: false, write: false })
  })

  test('a co-owned field that is yielded is sealed: if its other owner lets go, leaving it out would delete it', () => {
    const live = present({ spec: { replicas: 2, image: 'a:1' } }, [ours, owner('scaler', ['spec.replicas'])], [{ path: 'spec.replicas', to: 'scaler' }])
    const fields = compareFields({ spec: { replicas: 2, image: 'a:2' } }, held, live, 'plumbline')
    expect(fields.omit).toEqual(['spec.replicas'])
    expect(fields.touched).toContain('spec.replicas')
  })

  test('contested: Git changed what another owns', () => {
    const live = present({ spec: { replicas: 9, image: 'a:1' } }, [owner('plumbline', ['spec.image']), owner('kubectl', ['spec.replicas'])])
    expect(compareFields({ spec: { replicas: 3, image: 'a:1' } }, held, live, 'plumbline')).toMatchObject({
      changes: [{ path: 'spec.replicas', state: 'contested', from: 9, to: 3, owner: 'kubectl' }],
      omit: [],
      force: true,
      write: true,
    })
    expect(compareFields({ spec: { replicas: 9, image: 'a:1' } }, held, live, 'plumbline')).toMatchObject({ changes: [{ state: 'changed' }], force: false, write: true })
  })

  test('our own manager by Update is another to the server', () => {
    const live = present({ spec: { replicas: 9, image: 'a:1' } }, [owner('plumbline', ['spec.image']), owner('plumbline', ['spec.replicas'], { operation: 'Update' })])
    expect(compareFields({ spec: { replicas: 3, image: 'a:1' } }, held, live, 'plumbline')).toMatchObject({ changes: [{ state: 'contested', owner: 'plumbline/Update' }], force: true })
  })

  test('removed from Git: it goes; or it stays with its other owner, which is said', () => {
    const without = { spec: { image: 'a:1' } }
    expect(compareFields(without, held, present(desired, [ours]), 'plumbline')).toMatchObject({ changes: [{ path: 'spec.replicas', state: 'removed', from: 2 }], write: true })
    expect(compareFields(without, held, present(desired, [ours, owner('two', ['spec.replicas'])]), 'plumbline')).toMatchObject({ changes: [{ state: 'removed', owner: 'two' }], write: true })
    expect(compareFields(without, held, present(desired, [owner('plumbline', ['spec.image']), owner('two', ['spec.replicas'])]), 'plumbline')).toMatchObject({ changes: [{ state: 'removed', owner: 'two' }], write: false })
  })

  test('what the server says is ours and the inventory does not know would go too, and is shown', () => {
    const live = present({ spec: { ...desired.spec, note: 'x' } }, [owner('plumbline', ['spec.image', 'spec.note', 'spec.replicas', 'status.ready'])])
    expect(compareFields(desired, held, live, 'plumbline')).toMatchObject({ changes: [{ path: 'spec.note', state: 'removed', from: 'x' }], write: true })
    expect(compareFields(desired, undefined, live, 'plumbline').changes).toEqual([{ path: 'spec.note', state: 'removed', from: 'x' }])
  })

  test('an object whose managed fields were stripped: what differs would conflict with before-first-apply', () => {
    expect(compareFields({ spec: { replicas: 3, image: 'a:1' } }, held, present(desired, []), 'plumbline')).toMatchObject({
      changes: [{ path: 'spec.replicas', state: 'contested', owner: 'before-first-apply' }],
      force: true,
    })
  })

  test('an empty map that is declared lets others put content in, unless it is atomic', () => {
    const empty = { spec: { labels: {} } }
    const mine = owner('plumbline', ['spec.labels'])
    const rows = [field('spec.labels', {})]
    expect(compareFields(empty, rows, present({ spec: { labels: { b: '2' } } }, [mine, owner('two', ['spec.labels.b'])]), 'plumbline')).toMatchObject({ changes: [], write: false, touched: [] })
    expect(compareFields(empty, rows, present({ spec: { labels: { b: '2' } } }, [owner('two', ['spec.labels'])]), 'plumbline').changes).toMatchObject([{ state: 'held', owner: 'two' }])
  })

  test('a list that was declared whole and turned out to be keyed is not removed and added', () => {
    const parts: JsonObject[] = [{ id: 'a', n: 1 }, { id: 'b', n: 2 }]
    const live = { ...present({ spec: { parts } }, [owner('plumbline', ['spec.parts[id="a"].id', 'spec.parts[id="a"].n', 'spec.parts[id="b"].id', 'spec.parts[id="b"].n'])]), key: 'x.dev/W/a/b' }
    expect(compareFields({ spec: { parts } }, [field('spec.parts', parts)], live, 'plumbline')).toMatchObject({ changes: [], write: false })
    expect(compareFields({ spec: { parts: [{ id: 'a', n: 5 }] } }, [field('spec.parts', parts)], live, 'plumbline').changes).toEqual([
      { path: 'spec.parts[id="a"].n', state: 'changed', from: 1, to: 5 },
      { path: 'spec.parts[id="b"].id', state: 'removed', from: 'b' },
      { path: 'spec.parts[id="b"].n', state: 'removed', from: 2 },
    ])
  })

  test('a container that somebody removed: held as a whole; its key comes back with whatever of it Git changes', () => {
    const before = { spec: { containers: [{ name: 'side', image: 's:1', tty: true }], note: 'x' } }
    const rows = declaredPaths(before, listKeysOf(key)).map((path) => field(path, readPath(before, path) ?? null))
    const live = present({ spec: { note: 'x' } }, [owner('plumbline', ['spec.note'])])
    const item = 'spec.containers[name="side"]'
    expect(compareFields({ spec: { ...before.spec, note: 'y' } }, rows, live, 'plumbline')).toMatchObject({ omit: [`${item}.image`, `${item}.name`, `${item}.tty`], write: true })
    const changed = compareFields({ spec: { containers: [{ name: 'side', image: 's:2', tty: true }], note: 'x' } }, rows, live, 'plumbline')
    expect(changed.omit).toEqual([`${item}.tty`])
    expect(changed.changes).toEqual([
      { path: `${item}.image`, state: 'changed', to: 's:2' },
      { path: `${item}.name`, state: 'changed', to: 'side' },
      { path: `${item}.tty`, state: 'held', to: true },
    ])
  })
})

/** A server-side apply in small, for the leaves of these bodies: enough to show what an apply would do to a live object. */
class SmallServer {
  body: JsonObject = {}
  readonly owned = new Map<string, Set<FieldPath>>()

  apply(manager: string, body: JsonObject, force = false): { conflicts: FieldPath[] } {
    const paths = declaredPaths(body, listKeysOf(key))
    const conflicts = paths.filter((path) => !equalJson(readPath(this.body, path), readPath(body, path)) && this.#others(manager, path).length > 0)
    if (conflicts.length > 0 && !force) return { conflicts }
    for (const path of conflicts) for (const other of this.#others(manager, path)) this.owned.get(other)?.delete(path)
    const gone = [...(this.owned.get(manager) ?? [])].filter((path) => !paths.includes(path) && this.#others(manager, path).length === 0)
    this.body = removePaths(this.body, gone)
    for (const path of paths) this.body = setPath(this.body, path, readPath(body, path) ?? null)
    this.owned.set(manager, new Set(paths))
    return { conflicts: [] }
  }

  update(manager: string, path: FieldPath, value: Json | undefined): void {
    if (equalJson(readPath(this.body, path), value)) return
    for (const paths of this.owned.values()) paths.delete(path)
    this.body = value === undefined ? removePaths(this.body, [path]) : setPath(this.body, path, value)
    // What is gone from the object is owned by nobody (a keyed item goes with its key).
    for (const paths of this.owned.values()) for (const other of paths) if (readPath(this.body, other) === undefined) paths.delete(other)
    if (value !== undefined) this.owned.set(`${manager}/Update`, new Set([...(this.owned.get(`${manager}/Update`) ?? []), path]))
  }

  look(delegated: Present['delegated']): Present {
    const owners = [...this.owned].filter(([, paths]) => paths.size > 0).map(([manager, paths]): Owner => {
      const update = manager.endsWith('/Update')
      return { manager: update ? manager.slice(0, -7) : manager, operation: update ? 'Update' : 'Apply', subresource: '', paths: [...paths].sort() }
    })
    return present(this.body, owners.length === 0 ? [owner('nobody', ['spec.unrelated'])] : owners, delegated)
  }

  #others(manager: string, path: FieldPath): string[] {
    return [...this.owned].filter(([other, paths]) => other !== manager && paths.has(path)).map(([other]) => other)
  }
}

function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const leaves: FieldPath[] = ['spec.a', 'spec.b', 'metadata.labels.x', 'metadata.labels.y', 'metadata.finalizers[="f"]', 'spec.args', 'spec.containers[name="p"].image', 'spec.containers[name="p"].tty', 'spec.containers[name="q"].image']
function anyBody(next: (below: number) => number): JsonObject {
  let body: JsonObject = {}
  for (const path of leaves) if (next(3) > 0) body = setPath(body, path, path.endsWith('"]') ? 'f' : path === 'spec.args' ? [next(2)] : next(3))
  return body
}

test('in any history: an apply of what a plan says does what the plan shows, conflicts with nobody it does not name, and deletes nothing that Git declares', () => {
  let applied = 0
  let omitted = 0
  for (let seed = 1; seed <= 4000; seed += 1) {
    const next = seeded(seed)
    const server = new SmallServer()
    const first = anyBody(next)
    if (next(4) > 0) server.apply('two', anyBody(next))
    const takesOver = next(4) === 0
    if (!takesOver) server.apply('plumbline', first, true)
    const held = takesOver ? undefined : declaredPaths(first, listKeysOf(key)).map((path) => field(path, readPath(first, path) ?? null, next(9) === 0 ? { mark: next(2) === 0 ? 'held' : 'yielded' } : {}))
    for (let turn = next(5); turn > 0; turn -= 1) {
      const path = leaves[next(leaves.length)] as FieldPath
      if (next(6) === 0) server.apply('plumbline', anyBody(next), true) // somebody under our name
      else if (next(3) > 0) server.update('kubectl', path, next(3) === 0 ? undefined : path.endsWith('"]') ? 'f' : path === 'spec.args' ? [next(2)] : next(3))
      else server.apply('two', anyBody(next), next(2) === 0)
    }
    const delegated = next(3) === 0 ? [{ path: leaves[next(leaves.length)] as FieldPath, to: 'scaler' }] : []
    const desired = anyBody(next)
    const live = server.look(delegated)
    const plan = compareFields(desired, held, live, 'plumbline')
    const about = { seed, plan, live, desired }
    const declared = declaredPaths(desired, listKeysOf(key))
    const alone = declared.filter((path) => server.owned.get('plumbline')?.has(path) === true && live.owners.filter(({ paths }) => paths.includes(path)).length === 1)
    expect({ ...about, alone: alone.filter((path) => plan.omit.includes(path)) }).toEqual({ ...about, alone: [] })
    if (!plan.write) continue
    applied += 1
    omitted += plan.omit.length
    const body = removePaths(desired, plan.omit)
    const { conflicts } = server.apply('plumbline', body, plan.force)
    expect({ ...about, conflicts }).toEqual({ ...about, conflicts: [] })
    const shown = new Set(plan.changes.filter(({ state }) => state !== 'yielded' && state !== 'held').map(({ path }) => path))
    const differs = [...new Set([...declared, ...leaves, ...(held ?? []).map(({ path }) => path)])].filter((path) => !equalJson(readPath(live.body, path), readPath(server.body, path)))
    expect({ ...about, unseen: differs.filter((path) => !shown.has(path)) }).toEqual({ ...about, unseen: [] })
    const missing = declared.filter((path) => readPath(server.body, path) === undefined && readPath(live.body, path) !== undefined)
    expect({ ...about, missing }).toEqual({ ...about, missing: [] })
    const carriedOut = plan.changes.filter(({ state }) => state === 'added' || state === 'changed' || state === 'taken' || state === 'contested')
    expect({ ...about, wrong: carriedOut.filter(({ path, to }) => !equalJson(readPath(server.body, path), to)) }).toEqual({ ...about, wrong: [] })
  }
  expect(applied).toBeGreaterThan(3000)
  expect(omitted).toBeGreaterThan(500)
})
