import { expect, test } from 'vitest'
import { z } from 'zod'
import { withVariables } from './substitute.ts'
import type { Environment } from './environment.ts'
import type { Module } from './module.ts'
import { duration } from './parts.ts'
import { configurationSchemas, parseConfiguration } from './parse.ts'
import { probeSchema } from './probe.ts'

const kinds = { http: z.strictObject({ address: z.string(), path: z.string().default('/'), max: duration.optional() }), tcp: z.strictObject({ address: z.string() }) }
const schema = probeSchema(kinds)
const probe = (more: object) => schema.safeParse({ name: 'it', http: { address: 'ingress' }, ...more })
const problems = (more: object): string[] => (probe(more).error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`)

test('a probe has its times, and one kind', () => {
  expect(probe({ settle: '5s' }).data).toEqual({
    name: 'it', settle: 5_000, within: 60_000, every: 2_000, timeout: 5_000, window: undefined, compare: undefined, need: 'all', kind: 'http', config: { address: 'ingress', path: '/' }, across: [],
  })
  expect(problems({ tcp: { address: 'x' } })).toEqual([': expected exactly one of http, tcp'])
})

test('each of several targets is a whole configuration of its kind, with the fields that differ', () => {
  const parsed = schema.safeParse({ name: 'it', http: { path: '/healthz', max: '1s' }, across: [{ address: 'a' }, { address: 'b', max: '2s' }], need: 'any' })
  expect(parsed.data).toMatchObject({ need: 'any', config: { address: 'a', path: '/healthz', max: 1_000 }, across: [{ address: 'a', path: '/healthz', max: 1_000 }, { address: 'b', path: '/healthz', max: 2_000 }] })
  expect(problems({ http: { path: '/' }, across: [{ address: 'a' }, {}] })).toEqual([expect.stringMatching(/^http\.address: .*undefined/)])
  expect(problems({ across: [{ address: 'a', port: 5 }] })).toEqual([expect.stringMatching(/^across\.0: .*port/)])
  expect(problems({ across: [{ address: 'a' }, { address: 7 }] })).toEqual([expect.stringMatching(/^across\.1\.address: .*number/)])
  expect(problems({ across: [] })).toEqual([expect.stringMatching(/^across: /)])
  expect(problems({ across: [{ address: 'a' }], need: 2 })).toEqual(['need: expected no more than there are in across'])
})

test('what can never pass is refused', () => {
  expect(problems({ window: { passed: 3, of: 2 } })).toEqual(['window.passed: expected no more than `of`'])
  expect(problems({ window: { passed: 8, of: 10 }, within: '10s' })).toEqual([expect.stringMatching(/^window\.passed: expected no more samples than/)])
  expect(probe({ window: { passed: 8, of: 10 }, within: '2m' }).success).toBe(true)
  expect(problems({ compare: {} })).toEqual(['compare: expected max, min or warn'])
  expect(problems({ compare: { max: {} } })).toEqual(['compare.max: expected times, plus, or both'])
})

const document = (probes: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: orders }\nspec:\n  target: cluster\n  probes:\n${probes}`

test('a problem of one of several targets is placed where it is written', () => {
  const parsed = parseConfiguration(Buffer.from(document('    - name: it\n      http: { path: / }\n      across:\n        - { address: a }\n        - { adress: b }\n')), { file: 'module.yaml' }, configurationSchemas(kinds))
  expect(parsed.problems.map(({ subject, message }) => `${subject} ${message}`)).toEqual([
    expect.stringMatching(/^module\.yaml:8:\d+ spec\.probes\[0\]\.http\.address: is missing/),
    expect.stringMatching(/^module\.yaml:11:\d+ spec\.probes\[0\]\.across\[1\]\.adress: unknown field/),
  ])
})

test('variables are substituted in each of several targets', () => {
  const parsed = parseConfiguration(Buffer.from(document('    - name: it\n      http: { path: / }\n      across: [{ address: "a-${environment}" }]\n')), { file: 'module.yaml' }, configurationSchemas(kinds))
  const environment = { metadata: { name: 'staging' }, spec: { variables: {} } } as unknown as Environment
  expect(withVariables(parsed.documents[0]?.config as Module, environment).spec.probes[0]).toMatchObject({ config: { address: 'a-staging' }, across: [{ address: 'a-staging', path: '/' }] })
})
