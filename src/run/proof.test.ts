import { expect, test } from 'vitest'
import { digestOf } from '#lib/digest.ts'
import type { Module } from '#model/config/module.ts'
import type { Step } from '#model/plan.ts'
import { planDigest } from '#plan/plan.ts'
import { proofOf, proofStep } from './proof.ts'

const page = { name: 'page', within: 60_000, kind: 'http', config: { path: '/', status: 200 } }
const module = (spec: object): Pick<Module, 'spec'> => ({ spec: { target: 'cluster', source: { path: '.' }, deadline: 300_000, dependsOn: [], probes: [page], ...spec } }) as unknown as Pick<Module, 'spec'>

test('how a module is proven is all of its specification that shows nowhere else: its probes by name, and what comes of them', () => {
  expect(proofOf(module({ verifyEvery: 300_000 }))).toEqual({ verifyEvery: 300_000, probes: { page: { within: 60_000, http: { path: '/', status: 200 } } } })
  expect(proofOf(module({ source: { path: 'elsewhere' }, deadline: 1, dependsOn: ['api'], target: 'other' }))).toEqual(proofOf(module({})))
})

test('another way is told leaf by leaf, a probe that goes is told, and their order is nothing', () => {
  const now = proofOf(module({ probes: [{ ...page, config: { path: '/', status: 500 } }] }))
  expect(proofStep(proofOf(module({})), now)).toEqual({ digest: digestOf(now), changes: ['probes.page.http.status: 200 -> 500'] })
  expect(proofStep(proofOf(module({})), proofOf(module({ probes: [] })))?.changes).toEqual(expect.arrayContaining(['probes.page.http.path: "/" -> nothing']))
  const [a, b] = [{ ...page, name: 'a' }, { ...page, name: 'b' }]
  expect(proofStep(proofOf(module({ probes: [a, b] })), proofOf(module({ probes: [b, a] })))).toBeUndefined()
  expect(proofStep(undefined, now)).toEqual({ digest: digestOf(now), changes: [] })
})

test('an approval of effects is none of weaker probes: the digest of a plan covers how it is proven', () => {
  const step = (more: Partial<Step>): Step => ({ module: 'web', track: 'declarative', driver: 'kubernetes', target: 'cluster', dependsOn: [], waves: [], ...more })
  const proof = (status: number): Partial<Step> => ({ proof: { digest: digestOf(status), changes: [] } })
  expect(new Set([planDigest([step({})]), planDigest([step(proof(200))]), planDigest([step(proof(500))])]).size).toBe(3)
  const failure = { code: 'x', subject: '', message: '', retry: 'never' as const }
  expect(planDigest([step({ ...proof(200), failure })])).toBe(planDigest([step({})]))
})
