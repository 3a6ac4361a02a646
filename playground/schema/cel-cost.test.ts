import { readFileSync } from 'node:fs'
import { Environment } from '@marcbachmann/cel-js'
import { expect, test } from 'vitest'
import { addExtensions } from '#lib/cel-extensions.ts'
import { costOfOne, metered } from './cel-cost.ts'

/** See `src/lib/cel-library/recorded.test.ts`. */
const recorded = JSON.parse(readFileSync(new URL('../../src/lib/cel-library/recorded.json', import.meta.url), 'utf8')) as { expression: string; error?: string; cost?: number }[]
const environment = addExtensions(new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false }))

/** What is counted otherwise: the real server works out what is constant before, counts a sort twice, a macro in a macro a little more, tells whether a round found anything, and counts what failed. */
const different = /^\[duration|type\("a"\)|\[timestamp|\[duration|dyn\(1\)|\.sortBy\(|existsOne|exists_one|all\((?:format|ip)|^\{'sets'|map\(x, int|1 \/ v|vals\.all/

test('what an expression costs is counted as the real server counts it', () => {
  const rows = recorded.filter(({ expression, error, cost }) => error === undefined && cost !== undefined && !different.test(expression))
  expect(rows.length).toBeGreaterThan(300)
  const counted = rows.map(({ expression }) => {
    const budget = { left: costOfOne }
    const program = environment.parse(expression)
    program.check()
    metered(program)({}, budget)
    return { expression, cost: Math.round(costOfOne - budget.left) }
  })
  expect(counted).toEqual(rows.map(({ expression, cost }) => ({ expression, cost })))
})
