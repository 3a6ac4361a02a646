import { expect, test } from 'vitest'
import { atJsonPath, readJsonPath } from './json-path.ts'

const document = { a: { b: [{ c: 1 }, { c: null }], 'd e': 2, __proto__x: 3 }, length: 4 }

test.each([['$', document], ['$.a.b[0].c', 1], ['$.a.b[1].c', null], ['$["a"][\'d e\']', 2], ['$.length', 4], ['$.a.b[2].c', undefined], ['$.a.b.length', undefined], ['$.a.toString', undefined], ['$.a.b["0"]', undefined], ['$.length[0]', undefined]])('%s leads to its value', (path, value) => {
  expect(atJsonPath(document, readJsonPath(path) ?? ['?'])).toEqual(value)
})

test('what is no such path is not read', () => {
  const wrong = ['', 'a', '.a', '$a', '$.', '$..a', '$.*', '$[*]', '$[-1]', '$[1:2]', '$.a[', "$['a]", '$[?(@.a)]', '$.a b', `$${'.a'.repeat(300)}`]
  expect(wrong.filter((path) => readJsonPath(path) !== undefined)).toEqual([])
})
