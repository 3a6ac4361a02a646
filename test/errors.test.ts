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

/** Met by tests of what they lead to, which do not name them. */
const unnamed = new Set([
  'command-hindered', // src/probes/command/job.test.ts: does not know where it cannot be started
  'dns-failed', // depends on the system's resolver: src/clients/dns/resolve-host.test.ts takes either of two
])

test('every code of the catalogue is named by a test', () => {
  const tests = ['src', 'playground', 'test'].flatMap(sourceFiles).filter((file) => file.endsWith('.test.ts') && file !== 'test/errors.test.ts').map((file) => readFileSync(join(root, file), 'utf8')).join('\n')
  expect(Object.keys(errors).filter((code) => !unnamed.has(code) && !new RegExp(`(?<![\\w-])${code}(?![\\w-])`).test(tests))).toEqual([])
})
