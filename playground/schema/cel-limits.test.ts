import { readFileSync } from 'node:fs'
import { Environment } from '@marcbachmann/cel-js'
import { expect, test } from 'vitest'
import { addExtensions } from '#lib/cel-extensions.ts'
import type { KubernetesObject, Schema } from '#playground/contract.ts'
import { validateBuiltin } from './builtin-validation.ts'
import { estimatedCost } from './cel-estimate.ts'
import { mostTimes, shapeOf } from './cel-shapes.ts'

/**
 * What the real server's own code answered (apiextensions-apiserver 0.36.4): the estimated cost of rules on a schema (null: too much to be told apart), how often an
 * object of it may be in a request, and what definitions are refused for.
 */
type Recorded = {
  readonly estimates: readonly { readonly schema: Schema; readonly times: number; readonly rules: readonly (readonly [string, number | null])[] }[]
  readonly definitions: readonly { readonly versions: readonly Schema[]; readonly refused: readonly string[] }[]
}

const recorded = JSON.parse(readFileSync(new URL('recorded-estimates.json', import.meta.url), 'utf8')) as Recorded
const environment = addExtensions(new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })).registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn')

test.each(recorded.estimates)('the cost of a rule is estimated as the real server does (%#)', ({ schema, times, rules }) => {
  const shape = shapeOf(schema)
  if (shape === undefined) throw new Error('the schema has no shape')
  expect(mostTimes(shape)).toBe(times)
  for (const [rule, cost] of rules) {
    const estimated = estimatedCost(environment.parse(rule), shape)
    expect({ rule, cost: estimated > 1e15 ? null : estimated }).toEqual({ rule, cost })
  }
})

const definitionOf = (versions: readonly Schema[]): KubernetesObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'lamps.example.dev' },
  spec: {
    group: 'example.dev',
    scope: 'Namespaced',
    names: { plural: 'lamps', kind: 'Lamp' },
    versions: versions.map((schema, i) => ({ name: `v${i + 1}`, served: true, storage: i === 0, schema: { openAPIV3Schema: schema as object } })) as never,
  },
})
const refused = (versions: readonly Schema[], live?: readonly Schema[]): string[] =>
  validateBuiltin(definitionOf(versions), live && definitionOf(live), false).map(({ field, message }) => `${field}: ${message}`)

test.each(recorded.definitions)('a definition with rules that may cost too much is refused as the real server does (%#)', ({ versions, refused: expected }) => {
  expect(refused(versions).sort()).toEqual([...expected].sort())
})

test('what was let in once may be written again', () => {
  const [first] = recorded.definitions
  if (first === undefined) throw new Error('nothing is recorded')
  expect(refused(first.versions, first.versions)).toEqual([])
  expect(refused(first.versions, [{ type: 'object' }])).toHaveLength(first.refused.length)
})
