import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errors } from '../src/model/errors.ts'
import { root, sourceFiles } from './rooms.ts'

const sources = [...sourceFiles('src'), ...sourceFiles('playground')].filter((file) => !file.endsWith('.test.ts'))
const text = new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]))

test('every code that is raised is in the catalogue', () => {
  const raised = [...text].flatMap(([file, content]) =>
    [...content.matchAll(/new Failure\(\{\s*(?:\/\/[^\n]*\n\s*)?code: '([^']+)'/g)].map(([, code]) => ({ file, code: code ?? '' })),
  )
  expect(raised.length).toBeGreaterThan(10)
  expect(raised.filter(({ code }) => !(code in errors))).toEqual([])
})

test('every code of the catalogue is used', () => {
  const everything = [...text].filter(([file]) => !file.endsWith('model/errors.ts')).map(([, content]) => content).join('\n')
  expect(Object.keys(errors).filter((code) => !everything.includes(`'${code}'`))).toEqual([])
})
