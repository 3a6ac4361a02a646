import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { mistakes, refusalOf } from './testing-mistakes.ts'
import { type TestServer, testServer } from './testing.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded-refusals.json', import.meta.url), 'utf8')) as Record<string, JsonObject>

let running: TestServer
beforeAll(async () => {
  running = await testServer()
})
afterAll(() => running.end())

describe('mistakes in new objects of built-in kinds are refused in the words of kube-apiserver 1.36.3 (record-refusals.ts)', () => {
  test.each(Object.entries(mistakes))('%s', async (name, object) => {
    expect(await refusalOf(running.ask, object)).toEqual(recorded[name])
  })

  test('and what is recorded is refused, but for two', () => {
    expect(Object.keys(recorded)).toEqual(Object.keys(mistakes))
    expect(Object.keys(recorded).filter((name) => recorded[name]?.status === 201)).toEqual(['a Service: a name that begins with a digit (taken)', 'a RoleBinding: an account without namespace (taken)'])
  })
})
