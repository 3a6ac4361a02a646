import { describe, expect, test } from 'vitest'
import type { Finding } from '#model/finding.ts'
import type { Digest } from '#lib/digest.ts'
import type { Drift } from './classify.ts'
import { fold, reopensFor, type Folded, type FoldInput } from './fold.ts'
import type { Restored } from './restored.ts'
import { at, driftOf, findingOf, key } from './testing.ts'

const input: FoldInput = {
  subject: { environment: 'staging', place: 'place', target: 'cluster', driver: 'kubernetes', module: 'web', object: key },
  drifts: [], known: [], audit: [], restored: () => ({ by: null }), wayBack: () => ({ state: 'under way' }), decide: () => 'report', newId: () => 'f-new', now: at + 1_000,
}
const look = (more: Partial<FoldInput>): Folded[] => fold({ ...input, ...more })
const only = (folded: readonly Folded[]): Finding => {
  expect(folded).toHaveLength(1)
  return (folded[0] as Folded).finding
}

describe('one finding an object and cause', () => {
  test('is opened once, and the same look again changes nothing', () => {
    const opened = only(look({ drifts: [driftOf()] }))
    expect(opened).toMatchObject({ id: 'f-new', state: 'open', count: 1, seenAt: at + 1_000, onset: at, turns: [{ by: 'kubectl-edit' }] })
    expect(look({ drifts: [driftOf()], known: [opened], now: at + 9_000 })).toEqual([])
  })

  test('is updated and counted when it becomes otherwise, and keeps when it was seen first', () => {
    const [changed] = look({ drifts: [driftOf({ digest: 'sha256:6', fields: [{ path: 'spec.replicas', declared: 2, live: 6 }] })], known: [findingOf()] })
    expect(changed).toMatchObject({ happened: 'changed', finding: { id: 'f-1', count: 2, seenAt: at, updatedAt: at + 1_000, fields: [{ live: 6 }] } })
  })

  test('is resolved by itself when reality is as declared again', () => {
    expect(look({ known: [findingOf()], restored: () => ({ by: 'kubectl' }) })).toMatchObject([{ happened: 'resolved', finding: { state: 'resolved', resolvedAt: at + 1_000, turns: [{ by: 'kubectl-edit' }, { by: 'kubectl' }] } }])
    expect(look({ known: [findingOf({ state: 'resolved', resolvedAt: at })] })).toEqual([])
  })

  test('is resolved by Git, which declares by now what is there: nobody had a turn, and so it is no fight', () => {
    const restored = { git: 'declares', run: 'run-7' } as const
    expect(look({ known: [findingOf({ state: 'adopting' })], restored: () => restored })).toMatchObject([{ happened: 'resolved', restored, finding: { state: 'resolved', turns: [{ by: 'kubectl-edit' }] } }])
  })

  test('comes back as the same one within a day, and as another after it', () => {
    const resolved = findingOf({ state: 'resolved', resolvedAt: at, count: 2 })
    expect(look({ drifts: [driftOf()], known: [resolved] })).toMatchObject([{ happened: 'opened', finding: { id: 'f-1', count: 3, state: 'open', resolvedAt: null } }])
    expect(only(look({ drifts: [driftOf()], known: [resolved], now: at + reopensFor })).id).toBe('f-new')
  })

  test('two causes are two findings, each with a life of its own', () => {
    const manual = findingOf()
    const folded = look({ drifts: [driftOf({ cause: 'controller', digest: 'sha256:9' })], known: [manual] })
    expect(folded.map(({ finding, happened }) => [finding.cause, finding.id, happened])).toEqual([['controller', 'f-new', 'opened'], ['manual', 'f-1', 'resolved']])
  })

  const trace = (of: Digest) => ({ of, sought: { verbs: ['patch'], owners: [], seenAt: at }, write: null }) as const
  const paused = { path: 'spec.paused', declared: null, live: true }
  const other = { cause: 'controller', manager: 'argocd-controller', digest: 'sha256:9', traces: [trace('sha256:9')] } as const
  const mine = findingOf({ traces: [trace('sha256:5')] })
  test.each<[string, Partial<Finding>, Partial<Drift>, Partial<FoldInput>, Restored, readonly string[]]>([
    ['whose object is gone by now', {}, { cause: 'missing', fields: [], manager: null, digest: 'sha256:7' }, {}, { as: 'missing', finding: 'f-new', by: null }, ['kubectl-edit', 'unknown']],
    ['whose object is another by now', { cause: 'missing', fields: [] }, { cause: 'recreated', fields: [], digest: 'sha256:7' }, {}, { as: 'recreated', finding: 'f-new', by: 'kubectl-edit' }, ['kubectl-edit']],
    ['whose field another has by now', {}, other, {}, { as: 'controller', finding: 'f-new', by: 'argocd-controller' }, ['kubectl-edit', 'argocd-controller']],
    ['whose field another has by now, of whom nobody is told', {}, other, { decide: () => 'ignore' }, { as: 'controller', finding: null, by: 'argocd-controller' }, ['kubectl-edit', 'argocd-controller']],
    ['of which more is known by now, where there is one of that cause already', { cause: 'unknown' }, { traces: mine.traces, person: 'kim' }, { known: [findingOf({ id: 'f-2', person: 'kim', traces: mine.traces })] }, { as: 'manual', finding: 'f-2', by: 'kim' }, ['kubectl-edit']],
    ['whose field is as declared, though another is not', {}, { ...other, fields: [paused] }, {}, { by: null }, ['kubectl-edit', 'unknown']],
    ['whose object is ours again', { cause: 'recreated' }, other, {}, { by: null }, ['kubectl-edit', 'unknown']],
  ])('one %s', (_name, before, drift, more, restored, turns) => {
    const folded = look({ ...more, drifts: [driftOf(drift)], known: [{ ...mine, ...before }, ...(more.known ?? [])] })
    const over = folded.find(({ happened }) => happened === 'resolved')
    expect(over).toMatchObject({ restored, finding: { id: 'f-1', turns: turns.map((by) => ({ by })) } })
    expect(over?.restored).toEqual(restored)
  })

  test('keeps its id where more is known of its cause by now', () => {
    const folded = look({ drifts: [driftOf({ person: 'kim' })], known: [findingOf({ cause: 'unknown', manager: null })] })
    expect(folded).toMatchObject([{ finding: { id: 'f-1', cause: 'manual', person: 'kim', count: 1 } }])
  })

  test('says that somebody is named by now, once', () => {
    const [named] = look({ drifts: [driftOf({ person: 'kim' })], known: [findingOf()] })
    expect(named).toMatchObject({ happened: 'attributed', finding: { id: 'f-1', person: 'kim', count: 1, updatedAt: at } })
    expect(look({ drifts: [driftOf({ person: 'kim' })], known: [(named as Folded).finding] })).toEqual([])
  })

  test('that was over before an audit source spoke is resolved with the name', () => {
    const write = { object: key, verb: 'patch', user: 'kim', manager: 'kubectl-edit', at } as const
    const traces = [{ of: 'sha256:5', sought: { verbs: ['patch'], owners: [{ manager: 'kubectl-edit', at }], seenAt: at }, write: null }] as const
    expect(look({ known: [findingOf({ state: 'reverting', traces })], audit: [write] })).toMatchObject([{ happened: 'resolved', finding: { person: 'kim', state: 'resolved' } }])
  })

  test('what the policy ignores is no finding, and one that it ignores by now is closed', () => {
    expect(look({ drifts: [driftOf()], decide: () => 'ignore' })).toEqual([])
    expect(look({ drifts: [driftOf()], known: [findingOf()], decide: () => 'ignore' })).toMatchObject([{ happened: 'ignored', finding: { state: 'resolved', decision: 'ignore', turns: [{ by: 'kubectl-edit' }] } }])
  })
})

describe('a person’s word', () => {
  const accepted = findingOf({ state: 'accepted', accepted: { by: 'kim', reason: 'load test', until: at + 60_000 } })

  test('stands while nothing else changes', () => {
    expect(look({ drifts: [driftOf()], known: [accepted] })).toEqual([])
  })

  test('ends a fight too, until it goes on', () => {
    const turns = ['a', 'b', 'a', 'b', 'a', 'b'].map((by, index) => ({ by, at: at + index }))
    const fought = { ...accepted, turns, manager: 'b' }
    expect(look({ drifts: [driftOf({ manager: 'b' })], known: [fought] })).toEqual([])
    expect(look({ drifts: [driftOf({ manager: 'a', digest: 'sha256:6' })], known: [fought] })).toMatchObject([{ happened: 'contested', finding: { state: 'contested', accepted: null } }])
  })

  test('comes back when its time is over', () => {
    expect(look({ drifts: [driftOf()], known: [accepted], now: at + 60_000 })).toMatchObject([{ happened: 'decided', finding: { state: 'open', accepted: null, count: 1 } }])
  })

  test('where it is declared is asked for again where the first field is another', () => {
    const source = { repository: 'r', file: 'f', line: 1, column: 1, commit: null }
    const field = { declared: 2, live: 6 }
    const sourceWith = (path: string) => only(look({ drifts: [driftOf({ digest: 'sha256:6', fields: [{ path, ...field }] })], known: [findingOf({ source })] })).source
    expect(sourceWith('spec.replicas')).toEqual(source)
    expect(sourceWith('spec.paused')).toBeNull()
  })

  test('does not cover what came after it', () => {
    expect(look({ drifts: [driftOf({ digest: 'sha256:6' })], known: [accepted] })).toMatchObject([{ happened: 'changed', finding: { state: 'open', accepted: null } }])
  })
})

const failure = { code: 'plan-moved', subject: 's', message: 'm', retry: 'now' as const }

describe('a way back', () => {
  const reverting = findingOf({ state: 'reverting', run: 'run-9', decision: 'revert' })

  test('stays under way while its run does, and is open again when that ended without it', () => {
    expect(look({ drifts: [driftOf()], known: [reverting], decide: () => 'revert' })).toEqual([])
    expect(look({ drifts: [driftOf()], known: [reverting], decide: () => 'revert', wayBack: () => ({ state: 'ended', failure }) })).toMatchObject([{ finding: { state: 'open', run: 'run-9', failure, count: 1 } }])
  })

  test('that ended well, and the drift is there, came back: it is reverted again, until it is a fight', () => {
    const done: Partial<FoldInput> = { drifts: [driftOf()], decide: () => 'revert', wayBack: () => ({ state: 'ended', failure: null }) }
    const [back] = look({ ...done, known: [reverting] })
    expect(back).toMatchObject({ happened: 'changed', finding: { state: 'open', run: null, count: 2, turns: [{ by: 'kubectl-edit' }, { by: 'plumbline' }, { by: 'kubectl-edit' }] } })
    const twice = only(look({ ...done, known: [{ ...(back as Folded).finding, state: 'reverting', run: 'run-10' }] }))
    expect(look({ ...done, known: [{ ...twice, state: 'reverting', run: 'run-11' }] })).toMatchObject([{ happened: 'contested', finding: { state: 'contested' } }])
  })

  test('is our turn when it brought reality back', () => {
    expect(look({ known: [reverting], restored: () => ({ by: 'plumbline' }) })).toMatchObject([{ finding: { state: 'resolved', turns: [{ by: 'kubectl-edit' }, { by: 'plumbline' }] } }])
  })

  test('what the policy holds is held', () => {
    expect(only(look({ drifts: [driftOf()], decide: () => 'hold' }))).toMatchObject({ state: 'held', decision: 'hold' })
  })
})

describe('fights stop', () => {
  test('what is reverted and comes back three times is contested', () => {
    let finding = findingOf({ decision: 'revert' })
    const states: string[] = []
    for (let round = 1; round <= 4; round += 1) {
      finding = only(look({ known: [{ ...finding, state: 'reverting' }], now: at + round * 2_000 }))
      finding = only(look({ drifts: [driftOf()], known: [finding], decide: () => 'revert', now: at + round * 2_000 + 1_000 }))
      states.push(finding.state)
    }
    expect(states).toEqual(['open', 'open', 'contested', 'contested'])
  })

  test('what flips between two writers more than three times is contested, and both are named', () => {
    let finding = findingOf()
    const happened: string[] = []
    for (let flip = 1; flip <= 4; flip += 1) {
      const [folded] = look({ drifts: [driftOf({ digest: `sha256:${flip}`, manager: flip % 2 === 1 ? 'argocd-controller' : 'kubectl-edit' })], known: [finding], now: at + flip * 1_000 })
      finding = (folded as Folded).finding
      happened.push((folded as Folded).happened)
    }
    expect(happened).toEqual(['changed', 'changed', 'changed', 'contested'])
    expect(finding.turns.slice(-2).map(({ by }) => by)).toEqual(['argocd-controller', 'kubectl-edit'])
  })
})
