import { expect, test } from 'vitest'
import type { Json } from '#lib/json.ts'
import type { Finding } from '#model/finding.ts'
import type { DeclaredField, Held, Observation } from '#model/plan.ts'
import { restoredOf, type Restored } from './restored.ts'
import { findingOf, heldOf, key, liveOf, ours, owner } from './testing.ts'

const paths = ['spec.replicas', 'spec.paused']
const declaring = (replicas: Json, ...more: DeclaredField[]) => heldOf([{ path: 'spec.replicas', git: replicas }, ...more], { run: 'run-7' })
const scaled = (replicas: Json) => liveOf({ spec: { replicas } }, [ours(paths), owner('kubectl', ['spec.replicas'], { subresource: 'scale' })])
const absent: Observation = { key, state: 'absent' }
const both: Partial<Finding> = { fields: [{ path: 'spec.replicas', declared: 2, live: 5 }, { path: 'spec.paused', declared: false, live: true }] }

/** Found was 5 where 2 was declared, unless a row says otherwise. */
test.each<[string, Partial<Finding>, Held | undefined, typeof absent | ReturnType<typeof scaled>, Restored]>([
  ['put back by hand', {}, declaring(2), scaled(2), { by: 'kubectl (scale)' }],
  ['put back by us', {}, declaring(2), liveOf({ spec: { replicas: 2 } }, [ours(paths)]), { by: 'plumbline' }],
  ['Git declares what is there', {}, declaring(5), scaled(5), { git: 'declares', run: 'run-7' }],
  ['Git declares it in another form, which the server answered', {}, heldOf([{ path: 'spec.replicas', git: '5', answered: 5 }], { run: 'run-7' }), scaled(5), { git: 'declares', run: 'run-7' }],
  ['Git declares something else, which was delivered over it', {}, declaring(7), liveOf({ spec: { replicas: 7 } }, [ours(paths)]), { by: 'plumbline' }],
  ['Git declares it no more', {}, heldOf([{ path: 'spec.paused', git: false }], { run: 'run-7' }), scaled(5), { git: 'no more', run: 'run-7' }],
  ['a field that was removed is declared no more', { fields: [{ path: 'spec.replicas', declared: 2, live: null }] }, heldOf([], { run: 'run-7' }), liveOf({ spec: {} }, []), { git: 'declares', run: 'run-7' }],
  ['a whole that is declared in its parts by now', { fields: [{ path: 'spec', declared: null, live: { replicas: 5 } }] }, declaring(5), scaled(5), { git: 'declares', run: 'run-7' }],
  ['rightly moved by another from now on', {}, declaring(2), liveOf({ spec: { replicas: 5 } }, scaled(5).owners, { delegated: [{ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/web' }] }), { leftTo: 'HorizontalPodAutoscaler shop/web' }],
  ['one field by Git, one by hand', both, declaring(5, { path: 'spec.paused', git: false }), liveOf({ spec: { replicas: 5, paused: false } }, [owner('kubectl-edit', paths)]), { by: 'kubectl-edit' }],
  ['all fields by Git', both, declaring(5, { path: 'spec.paused', git: true }), liveOf({ spec: { replicas: 5, paused: true } }, [owner('kubectl-edit', paths)]), { git: 'declares', run: 'run-7' }],
  ['a Secret’s value, which is not known', { fields: [{ path: 'data.k', declared: null, live: null, secret: true }] }, heldOf([{ path: 'data.k', git: 'hmac:new' }]), liveOf({ data: { k: 'x' } }, [ours(['data.k'])]), { by: 'plumbline' }],
  ['deleted by hand, and Git has it no more', { cause: 'missing', fields: [] }, undefined, absent, { git: 'no more', run: null }],
  ['deleted by hand, and back', { cause: 'missing', fields: [] }, declaring(2), scaled(2), { by: null }],
  ['edited, then deleted', {}, declaring(2), absent, { by: null }],
  ['an orphan that is gone', { cause: 'orphan', fields: [] }, undefined, absent, { by: null }],
])('%s', (_name, more, held, observation, restored) => {
  const finding = findingOf(more)
  expect(restoredOf(finding, { held, observation: observation as ReturnType<typeof scaled>, findings: [finding] })).toEqual(restored)
})
