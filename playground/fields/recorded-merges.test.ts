import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { canonicalJson, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { fieldManagement } from './field-management.ts'
import { withoutManagedFields } from './managers.ts'
import { randomSequence, sampleSchema, type RandomWrite } from './testing/random-config.ts'

const recorded = JSON.parse(readFileSync(new URL('testing/recorded-merges.json', import.meta.url), 'utf8')) as { answers: Json[][]; digests: string[] }

/** The answers to the writes of a seed: the object and who owns what after each, or that it conflicts. */
function* answers(seed: number): Generator<Json> {
  let live: KubernetesObject | undefined
  for (const [i, write] of randomSequence(seed).entries()) {
    const next = written(live, write, new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString().replace('.000', ''))
    if (next !== 'conflict') live = next
    yield next === 'conflict' ? next : { object: withoutManagedFields(next), owners: owners(next) }
  }
}

function written(live: KubernetesObject | undefined, { how, manager, force, body }: RandomWrite, time: string): KubernetesObject | 'conflict' {
  const common = { live, manager, time, schema: sampleSchema, subresource: '', versions: { 'example.dev/v1': sampleSchema } }
  if (how === 'update') return fieldManagement.update({ ...common, next: body })
  const result = fieldManagement.apply({ ...common, applied: body, force })
  if ('invalid' in result) throw new Error(result.invalid)
  return 'conflicts' in result ? 'conflict' : result.object
}

function owners(object: KubernetesObject): JsonObject {
  const entries = (object.metadata.managedFields ?? []) as (JsonObject & { manager: string; operation: string })[]
  return Object.fromEntries(entries.map(({ manager, operation, fieldsV1 }) => [`${manager}/${operation}`, fieldsV1 as Json]))
}

test.each(recorded.answers.map((expected, seed) => ({ seed, expected })))('writes of seed $seed are answered as by the real library', ({ seed, expected }) => {
  expect([...answers(seed)].slice(0, expected.length)).toEqual(expected)
})

test('so are those of four hundred more seeds, by the digests of their answers', () => {
  const first = recorded.answers.length
  for (const [i, digests] of recorded.digests.entries()) {
    const expected = digests.split(' ')
    const actual = [...answers(first + i)].slice(0, expected.length).map((answer) => createHash('sha256').update(canonicalJson(answer)).digest('hex').slice(0, 10))
    expect({ seed: first + i, actual }).toEqual({ seed: first + i, actual: expected })
  }
})
