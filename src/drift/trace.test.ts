import { describe, expect, test } from 'vitest'
import type { AuditEntry, Sought } from '#model/finding.ts'
import { at, findingOf, key, owner } from './testing.ts'
import { attributed, traceOf } from './trace.ts'

const edit = owner('kubectl-edit', ['spec.replicas'])
const entry = (user: string, more: Partial<AuditEntry> = {}): AuditEntry => ({ object: key, verb: 'patch', user, manager: 'kubectl-edit', at, ...more })
const gone = (user: string, ago: number): AuditEntry => entry(user, { verb: 'delete', at: at - ago })

describe('which write an audit source tells of', () => {
  const seenAt = at + 500
  const writes = ['update', 'patch'] as const
  test.each<[string, AuditEntry[], Sought, string | undefined]>([
    ['by the owner’s name and time', [entry('lee')], { verbs: writes, owners: [edit], seenAt }, 'lee'],
    ['not at another time', [entry('lee', { at: at - 60_000 })], { verbs: writes, owners: [edit], seenAt }, undefined],
    ['not under another name', [entry('lee', { manager: 'kubectl-patch' })], { verbs: writes, owners: [edit], seenAt }, undefined],
    ['under no name', [entry('lee', { manager: null })], { verbs: writes, owners: [edit], seenAt }, 'lee'],
    ['not a deletion', [entry('lee', { verb: 'delete' })], { verbs: writes, owners: [edit], seenAt }, undefined],
    ['not our own', [entry('plumbline', { manager: 'plumbline' })], { verbs: writes, owners: [], seenAt }, undefined],
    ['the newest of one user', [entry('lee', { at: at - 1000 }), entry('lee')], { verbs: writes, owners: [edit], seenAt }, 'lee'],
    ['none of two users at one time', [entry('kim'), entry('lee', { at: at + 200 })], { verbs: writes, owners: [edit], seenAt }, undefined],
    ['the second of two users, where the first one’s write was undone between them', [entry('kim'), entry('lee', { at: at + 400 })], { verbs: writes, owners: [edit], seenAt, since: at + 200 }, 'lee'],
    ['nobody, as long as what was undone is all that it tells', [entry('kim')], { verbs: writes, owners: [edit], seenAt, since: at + 200 }, undefined],
    ['what was removed, just before it was seen', [entry('lee', { at: seenAt - 300 })], { verbs: writes, owners: [], seenAt }, 'lee'],
    ['what was removed, not long before', [entry('lee', { at: seenAt - 60_000 })], { verbs: writes, owners: [], seenAt }, undefined],
    ['what was removed, not where two wrote then', [entry('lee'), entry('kim', { at: at - 4_000 })], { verbs: writes, owners: [], seenAt }, undefined],
    ['a deletion, however long ago', [gone('lee', 8_000_000)], { verbs: ['delete'], owners: [], seenAt }, 'lee'],
    ['the last deletion of one user', [gone('lee', 9_000_000), gone('lee', 8_000_000)], { verbs: ['delete'], owners: [], seenAt }, 'lee'],
    ['no deletion where two deleted it', [gone('kim', 9_000_000), gone('lee', 8_000_000)], { verbs: ['delete'], owners: [], seenAt }, undefined],
    ['who deleted the namespace, and not who emptied it', [gone('kim', 8_000_100), gone('system:kube-controller-manager', 8_000_000)], { verbs: ['delete'], owners: [], seenAt }, 'kim'],
    ['who emptied the namespace, where nobody else is known', [gone('system:serviceaccount:kube-system:namespace-controller', 8_000_000)], { verbs: ['delete'], owners: [], seenAt }, 'system:serviceaccount:kube-system:namespace-controller'],
    ['no deletion from before we last applied it', [gone('kim', 9_000_000)], { verbs: ['delete'], owners: [], seenAt, since: at - 8_000_000 }, undefined],
    ['the deletion since we last applied it', [gone('kim', 9_000_000), gone('lee', 7_000_000)], { verbs: ['delete'], owners: [], seenAt, since: at - 8_000_000 }, 'lee'],
    ['a deletion that was carried out later, by whoever took a finalizer away', [gone('lee', 8_000), entry('system:kube-controller-manager', { verb: 'update', at: at - 7_000 }), entry('system:serviceaccount:kube-system:generic-garbage-collector', { at: at - 6_000 })], { verbs: ['delete'], owners: [], seenAt }, 'lee'],
    ['no deletion from before somebody applied it', [gone('kim', 9_000_000), entry('lee', { at: at - 8_000_000 })], { verbs: ['delete'], owners: [], seenAt }, undefined],
    ['no deletion from before somebody wrote it', [gone('kim', 9_000_000), entry('lee', { verb: 'create', at: at - 8_000_000 })], { verbs: ['delete'], owners: [], seenAt }, undefined],
  ])('%s', (_, entries, sought, user) => {
    expect(traceOf({ audit: entries, known: [] }, 'sha256:thing', sought).write?.user).toBe(user)
  })
})

test('what was removed is told at the last write before it was seen, and under no name where one user wrote under several', () => {
  const removed: Sought = { verbs: ['update', 'patch'], owners: [], seenAt: at + 500 }
  const patch = entry('lee', { manager: 'kubectl-patch', at: at + 400 })
  const write = (...audit: AuditEntry[]) => traceOf({ audit, known: [] }, 'sha256:thing', removed).write
  expect(write(patch, entry('lee', { manager: 'kubectl-label', at: at + 700 }))).toEqual({ ...patch, manager: null })
  expect(write(patch, { ...patch, at: at + 700 })).toEqual(patch)
})

describe('who made something so is kept', () => {
  const edited: Sought = { verbs: ['update', 'patch'], owners: [edit], seenAt: at + 500 }
  const removed: Sought = { verbs: ['update', 'patch'], owners: [], seenAt: at + 500 }
  const of = 'sha256:thing' as const
  const look = (audit: readonly AuditEntry[], known: Parameters<typeof traceOf>[0]['known'], sought: Sought) => traceOf({ audit, known }, of, sought)

  test('when the audit source has forgotten it', () => {
    const first = look([entry('kim')], [], edited)
    expect(first.write?.user).toBe('kim')
    expect(look([], [first], edited)).toEqual(first)
  })

  test('when its manager wrote another field since, by the hand of another', () => {
    const first = look([entry('kim')], [], edited)
    const later = { ...edited, owners: [{ ...edit, at: at + 60_000 }], seenAt: at + 60_500 }
    expect(look([entry('kim'), entry('lee', { at: at + 60_000 })], [first], later)).toEqual(first)
  })

  test('of what was removed, however much later it is looked at again', () => {
    const first = look([entry('kim')], [], removed)
    expect(look([entry('kim'), entry('lee', { at: at + 60_000 })], [first], { ...removed, seenAt: at + 60_500 }).write?.user).toBe('kim')
  })

  test('and looked for where it was not known yet, at the time when it was found', () => {
    const first = look([], [], removed)
    expect(first.write).toBeNull()
    expect(look([entry('kim')], [first], { ...removed, seenAt: at + 60_500 }).write?.user).toBe('kim')
  })

  test('not where it turns out that two wrote then, and not of another thing', () => {
    const first = look([entry('kim')], [], edited)
    expect(look([entry('kim'), entry('lee')], [first], edited).write).toBeNull()
    expect(traceOf({ audit: [], known: [first] }, 'sha256:other', edited).write).toBeNull()
  })
})

describe('a finding that is over', () => {
  const traces = [{ of: 'sha256:thing', sought: { verbs: ['patch'], owners: [edit], seenAt: at }, write: null }] as const

  test('bears the name that an audit source tells late', () => {
    expect(attributed(findingOf({ traces, cause: 'unknown', onset: null }), [entry('kim')])).toMatchObject({ person: 'kim', cause: 'manual', onset: at, traces: [{ write: { user: 'kim' } }] })
  })

  test.each<[string, Parameters<typeof attributed>]>([
    ['where it bears one', [findingOf({ traces, person: 'lee' }), [entry('kim')]]],
    ['of a program', [findingOf({ traces }), [entry('system:serviceaccount:ops:bot')]]],
    ['of who wrote at another time', [findingOf({ traces }), [entry('kim', { at: at + 60_000 })]]],
  ])('but no other %s', (_, asked) => {
    expect(attributed(...asked)).toBeUndefined()
  })
})
