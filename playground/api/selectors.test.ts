import { describe, expect, test } from 'vitest'
import type { KubernetesObject } from '#playground/contract.ts'
import { labelSelector } from './selectors.ts'
import { readYaml, repeatedJsonKeys } from './yaml.ts'
import { duration } from './columns/age.ts'
import { jsonPath } from './columns/json-path.ts'

const labelled = (labels: Record<string, string>): KubernetesObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { labels } })

describe('label selectors', () => {
  test.for([
    ['a=b', true],
    ['a==b,c', true],
    ['a!=b', false],
    ['x!=y', true],
    ['a in (b, z)', true],
    ['a notin (b)', false],
    ['x notin (b)', true],
    ['!x', true],
    ['!a', false],
    ['c=', true],
    ['example.dev/n>3', true],
  ] as const)('%s', ([selector, matches]) => {
    expect(labelSelector(selector)(labelled({ a: 'b', c: '', 'example.dev/n': '5' }))).toBe(matches)
  })

  test.for(['a in', 'a in (b', 'a=(', ',', 'a b', 'a,,b', '!'])('%s does not parse', (selector) => {
    expect(() => labelSelector(selector)).toThrow(/found '/)
  })
})

describe('YAML, as Kubernetes reads it', () => {
  test('1.1 rules, the first document, dates as text, the last of two keys', () => {
    expect(readYaml('a: yes\nb: 0644\nc: 2020-01-01\nd: "1"\n---\ne: 1\n').value).toEqual({ a: true, b: 420, c: '2020-01-01', d: '1' })
    expect(readYaml('---\na: 1\n---\nb: 2\n').value).toEqual({ a: 1 })
    expect(readYaml('a: 1\na: 2\n')).toEqual({ value: { a: 2 }, duplicates: ['line 2: key "a" already set in map'] })
    expect(readYaml('').value).toBeNull()
    expect(repeatedJsonKeys('{"a":{"b":1,"b":2},"c":[{"d":1,"d":"d"}]}')).toEqual(['a.b', 'c[0].d'])
  })
})

describe('columns', () => {
  test('ages are two units at most', () => {
    const seconds = [5, 119, 130, 599, 1000, 10_800, 30_000, 172_800, 1_000_000, 90_000_000]
    expect(seconds.map((count) => duration(count * 1000))).toEqual(['5s', '119s', '2m10s', '9m59s', '16m', '3h', '8h', '2d', '11d', '2y311d'])
  })

  test('JSONPath as printer columns use it', () => {
    const object = { status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Other' }] }, list: [1, 2], 'a.b': { c: 1 } }
    expect(jsonPath(".status.conditions[?(@.type=='Ready')].status")(object)).toEqual(['True'])
    expect(jsonPath('.status.conditions[?(@.type=="None")].status')(object)).toEqual([])
    expect(jsonPath('.constructor.name')(object)).toEqual([])
    expect(jsonPath('.list[*]')(object)).toEqual([1, 2])
    expect(jsonPath('.list[1]')(object)).toEqual([2])
    expect(jsonPath('.a\\.b.c')(object)).toEqual([1])
  })
})
