import { describe, expect, test } from 'vitest'
import type { FieldFacts } from '#model/field-facts.ts'
import { judge, judgeRemoved, judgeTaken, type Judgement } from './judge.ts'

const usual: FieldFacts = { git: 'same', asGit: true, asAnswered: true, ours: true, others: false, delegated: false }
const other: Partial<FieldFacts> = { ours: false, others: true }
const both: Partial<FieldFacts> = { ours: true, others: true }
const nobody: Partial<FieldFacts> = { ours: false, others: false }
const moved: Partial<FieldFacts> = { asGit: false, asAnswered: false }
const reformatted: Partial<FieldFacts> = { asGit: false, asAnswered: true }

const nothing: Judgement = { send: true, write: false }
const left = (state: 'yielded' | 'held'): Judgement => ({ send: false, write: false, state })
const sent = (state: 'added' | 'changed' | 'contested'): Judgement => ({ send: true, write: true, state })

test.each<[string, Partial<FieldFacts>, Judgement]>([
  ['as it should be', {}, nothing],
  ['1 delegated, another owns it', { ...other, ...moved, delegated: true }, left('yielded')],
  ['1 delegated, co-owned', { ...both, delegated: true }, left('yielded')],
  ['1 delegated, another owns it, Git changed it too', { ...other, ...moved, delegated: true, git: 'changed' }, left('yielded')],
  ['1 delegated, another owns it, Git adds it', { ...other, delegated: true, git: 'added' }, left('yielded')],
  ['delegated, but we alone own it: sent, never left out', { delegated: true }, nothing],
  ['delegated, we alone own it, Git changed it', { delegated: true, git: 'changed', asGit: false }, sent('changed')],
  ['delegated, and nobody owns it, moved', { ...nobody, ...moved, delegated: true }, left('held')],
  ['2 Git adds what another owns with another value', { ...other, ...moved, git: 'added' }, sent('contested')],
  ['3 Git adds what another owns with this value', { ...other, git: 'added' }, sent('added')],
  ['3 Git adds what nobody owns (a default)', { ...nobody, ...moved, git: 'added' }, sent('added')],
  ['3 Git adds what is the default already', { ...nobody, git: 'added' }, sent('added')],
  ['4 Git changed it, another owns it', { ...other, ...moved, git: 'changed' }, sent('contested')],
  ['4 Git changed it, another owns it, but the value is the one that we declared', { ...other, ...reformatted, git: 'changed' }, sent('contested')],
  ['4 Git changed it, co-owned', { ...both, ...reformatted, git: 'changed' }, sent('contested')],
  ['5 Git changed it, ours', { ...reformatted, git: 'changed' }, sent('changed')],
  ['5 Git changed it to what another set', { ...other, asAnswered: false, git: 'changed' }, sent('changed')],
  ['5 Git changed it, it is gone', { ...nobody, ...moved, git: 'changed' }, sent('changed')],
  ['6 another took it, and it is what Git says', { ...other }, nothing],
  ['6 co-owned', { ...both }, nothing],
  ['6 back at what Git says', { ...nobody, asAnswered: false }, nothing],
  ['7 the server writes it in another form', { ...reformatted }, nothing],
  ['7 a null that the server filled in, owned by nobody', { ...nobody, ...reformatted }, nothing],
  ['8 another took it, and it is as answered in another form', { ...other, ...reformatted }, left('held')],
  ['8 co-owned in another form', { ...both, ...reformatted }, left('held')],
  ['9 moved, though we alone own it', { ...moved }, { send: true, write: false, state: 'drifted' }],
  ['10 a hotfix: another moved it', { ...other, ...moved }, left('held')],
  ['10 co-owned, and moved', { ...both, ...moved }, left('held')],
  ['10 gone: an update removed it', { ...nobody, ...moved }, left('held')],
])('%s', (_name, facts, judgement) => {
  expect(judge({ ...usual, ...facts })).toEqual(judgement)
})

/** Every combination there is. */
function all<F extends Record<string, readonly unknown[]>>(axes: F): { [K in keyof F]: F[K][number] }[] {
  return Object.entries(axes).reduce<Record<string, unknown>[]>((rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))), [{}]) as never
}
const bool = [true, false] as const
const everything = all({ git: ['added', 'changed', 'same'] as const, asGit: bool, asAnswered: bool, ours: bool, others: bool, delegated: bool })

describe('whatever the facts', () => {
  test('what we alone own is never left out', () => {
    const alone = everything.filter(({ ours, others }) => ours && !others)
    expect(alone).toHaveLength(24)
    expect(alone.filter((facts) => !judge(facts).send)).toEqual([])
  })
  test('what would be a conflict is contested or left out, never sent in silence', () => {
    const conflicts = everything.filter(({ others, asGit }) => others && !asGit)
    expect(conflicts.filter((facts) => judge(facts).send && judge(facts).state !== 'contested')).toEqual([])
  })
  test('what Git did not change is no reason to write', () => {
    expect(everything.filter((facts) => facts.git === 'same' && judge(facts).write)).toEqual([])
  })
  test('what is left out is shown', () => {
    expect(everything.filter((facts) => !judge(facts).send && judge(facts).state === undefined)).toEqual([])
  })
})

test.each([
  [{ ours: true, others: false, present: true }, { send: false, write: true, state: 'removed' }],
  [{ ours: true, others: true, present: true }, { send: false, write: true, state: 'removed' }],
  [{ ours: true, others: false, present: false }, { send: false, write: true, state: 'removed' }],
  [{ ours: false, others: true, present: true }, { send: false, write: false, state: 'removed' }],
  [{ ours: false, others: false, present: true }, { send: false, write: false }],
  [{ ours: false, others: false, present: false }, { send: false, write: false }],
] as const)('removed from Git: %o', (facts, judgement) => {
  expect(judgeRemoved(facts)).toEqual(judgement)
})

test.each([
  [{ asGit: true, present: true, others: false, delegated: false }, { send: true, write: true }],
  [{ asGit: false, present: false, others: false, delegated: false }, { send: true, write: true, state: 'added' }],
  [{ asGit: false, present: true, others: false, delegated: false }, { send: true, write: true, state: 'taken' }],
  [{ asGit: true, present: true, others: true, delegated: false }, { send: true, write: true, state: 'taken' }],
  [{ asGit: false, present: true, others: true, delegated: false }, { send: true, write: true, state: 'taken' }],
  [{ asGit: false, present: true, others: true, delegated: true }, { send: false, write: false, state: 'yielded' }],
  [{ asGit: false, present: true, others: false, delegated: true }, { send: true, write: true, state: 'taken' }],
] as const)('taken over: %o', (facts, judgement) => {
  expect(judgeTaken(facts)).toEqual(judgement)
})
