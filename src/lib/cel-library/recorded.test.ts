import { readFileSync } from 'node:fs'
import { Environment } from '@marcbachmann/cel-js'
import { describe, expect, test } from 'vitest'
import { addExtensions } from '../cel-extensions.ts'
import { fromCel } from '../cel-values.ts'
import type { Json } from '../json.ts'

/**
 * The examples of the documentation of Kubernetes' and cel-go's libraries, and some beside them, as the environment of the real server answered them
 * (`k8s.io/apiserver/pkg/cel/environment` 0.36.4, compatibility 1.36). `refused`: by its compiler.
 */
type Recorded = { readonly expression: string; readonly value?: Json; readonly error?: string; readonly refused?: string }

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Recorded[]
const environment = addExtensions(new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false }))

function answerTo(expression: string): { value: Json } | { error: string } {
  try {
    return { value: fromCel(environment.evaluate(expression)) }
  } catch (error) {
    return { error: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) }
  }
}

/** What is answered otherwise, with the reason. The test fails when one comes out as recorded. */
const different: Readonly<Record<string, string>> = {
  "'TacoCÆt Xii'.lowerAscii()": 'the library takes all letters for ASCII',
  "cidr('192.168.0.0/24').containsIP('x')": 'the reason is told, where the real one says “no such overload”',
}
/** Errors of the library's own functions have its own words; numbers of all types go together in lists, and types are not looked into. */
const ownWords = new Set(["'hello mellow'.indexOf('ello', -1)", "'tacocat'.substring(-1)", "'tacocat'.substring(2, 1)"])

describe('CEL as Kubernetes 1.36 extends it', () => {
  test.each(recorded.filter(({ expression, refused }) => refused === undefined && different[expression] === undefined))('$expression', ({ expression, value, error }) => {
    if (error !== undefined && ownWords.has(expression)) expect(answerTo(expression)).toHaveProperty('error')
    else expect(answerTo(expression)).toEqual(error === undefined ? { value } : { error })
  })

  test('what is answered otherwise is on the list', () => {
    for (const expression of Object.keys(different)) {
      const { value, error } = recorded.find((row) => row.expression === expression) ?? {}
      expect(answerTo(expression)).not.toEqual(error === undefined ? { value } : { error })
    }
  })

  test('a name of a library may be a variable', () => {
    const variables = addExtensions(new Environment({ unlistedVariablesAreDyn: true }))
    expect(variables.evaluate('["a"].all(ip, ip == "a") && [1].map(sets, sets + 1) == [2]')).toBe(true)
    expect(variables.evaluate('[[1, 2]].all(i, lists, lists.all(j, v, v == j + i + 1))')).toBe(true)
  })
})
