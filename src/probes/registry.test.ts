import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configurationSchemas, parseConfiguration } from '#model/config/parse.ts'
import { probeSchemas, probes } from './registry.ts'

const folder = import.meta.dirname
const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name)

test('every folder is a probe of the registry, and every probe has a folder', () => {
  expect(folders.length).toBeGreaterThan(0)
  expect(probes.map(({ kind }) => kind).toSorted()).toEqual(folders.toSorted())
  expect(Object.keys(probeSchemas).toSorted()).toEqual(folders.toSorted())
})

test('every probe has a README and runs the conformance suite', () => {
  const lacking = probes.flatMap(({ kind }) => ['README.md', 'schema.ts', 'conformance.test.ts'].map((file) => `${kind}/${file}`)).filter((file) => !existsSync(join(folder, file)))
  expect(lacking).toEqual([])
})

const schemas = configurationSchemas(probeSchemas)
const moduleOf = (probes: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: m }\nspec:\n  target: cluster\n  probes:\n${probes}\n`
const problemsOf = (text: string): string[] => parseConfiguration(new TextEncoder().encode(text), { file: 'module.yaml' }, schemas).problems.map(({ message }) => message)

test('the probes of the design’s example are read', () => {
  const example = `
    - { name: ingress, http: { address: ingress, host: "orders.\${environment}.example", path: /healthz, status: 200 }, within: 60s }
    - { name: replica-lag, sql: { target: orders-db, query: "select ...", max: 10, warn: 5, unit: s } }`
  expect(problemsOf(moduleOf(example))).toEqual([])
})

test('the probes of the example organisation are read', () => {
  const root = join(folder, '../../playground/example/repositories')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('module.yaml'))
  expect(files.length).toBeGreaterThan(0)
  expect(files.flatMap((file) => problemsOf(readFileSync(join(root, file), 'utf8')))).toEqual([])
})

test('what is written wrongly is told with its field', () => {
  expect(problemsOf(moduleOf('    - { name: a, http: { adress: ingress } }'))[0]).toContain('spec.probes[0].http.adress: unknown field')
  expect(problemsOf(moduleOf('    - { name: a, kubernetes: { target: c, apiVersion: v1, kind: Pod, name: p, cel: "object.status. ==" } }'))[0]).toMatch(/kubernetes\.cel: the CEL expression is wrong at line 1, column \d+/)
  expect(problemsOf(moduleOf('    - { name: a, http: { address: ingress, headers: { Authorization: x } } }'))[0]).toContain('http.headers: expected none of authorization')
  expect(problemsOf(moduleOf('    - { name: a, http: { address: ingress, json: { path: "a.b" } } }'))[0]).toContain('expected a path such as $.a.b[0].c')
})
