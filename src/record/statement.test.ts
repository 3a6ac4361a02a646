import { expect, test } from 'vitest'
import { provenance, statement, testResult, verificationSummary } from './published-fields.ts'
import { aFinding, aRun, aSummary, aVerdictChange } from './records-fixture.ts'
import { provenanceOf, testResultOf, testResultType, verificationSummaryType } from './standards.ts'
import { aboutOf, findingType, keyRotationType, linkOf, policyType, pruneType, recordKinds, sealRecord, verdictChangeType } from './statement.ts'

const link = { environment: 'staging', seq: 3, previous: `sha256:${'0'.repeat(64)}` } as const

const kinds = { run: aRun(link), 'verdict-change': aVerdictChange(link), finding: aFinding(link), 'verification-summary': aSummary(link) }

test.each(Object.entries(kinds))('a record of the kind %s is an in-toto statement that tells its kind, its place and its time', (kind, record) => {
  expect(statement.parse(record)).toBeDefined()
  expect(recordKinds[record.predicateType]).toBe(kind)
  expect(linkOf(record)).toEqual(link)
  expect(aboutOf(record)).toMatchObject({ kind, at: expect.any(Number) })
  expect(aboutOf(record).at).toBeGreaterThan(Date.UTC(2026, 0))
})

test('the same record has the same bytes, whatever the order in which it was put together', () => {
  const record = aVerdictChange(link)
  const shuffled = { ...record, predicate: Object.fromEntries(Object.entries(record.predicate).reverse()) } as typeof record
  expect(sealRecord(shuffled)).toEqual(sealRecord(record))
})

test('a verdict in in-toto’s words is a test result; what is unknown has no word there and is not given one', () => {
  const record = aVerdictChange(link)
  const made = record.predicateType === verdictChangeType ? record.predicate.testResult : undefined
  expect(testResult.parse(made)).toMatchObject({ result: 'FAILED', failedTests: ['lag'] })
  expect(testResultType).toBe('https://in-toto.io/attestation/test-result/v0.1')
  const probe = (name: string, verdict: 'passed' | 'warned' | 'unknown') => ({ probe: name, kind: 'http', verdict, asked: 1, samples: [] })
  expect(testResultOf([probe('a', 'passed'), probe('b', 'warned')], [])?.result).toBe('WARNED')
  expect(testResultOf([probe('a', 'passed'), probe('b', 'unknown')], [])).toBeUndefined()
  expect(testResultOf([], [])).toBeUndefined()
})

test('a day’s summary is a verification summary of SLSA’s, whose own levels it does not claim', () => {
  const record = aSummary(link)
  expect(record.predicateType).toBe(verificationSummaryType)
  expect(verificationSummary.parse(record.predicate)).toBeDefined()
})

test('every kind has a type of its own', () => {
  expect(Object.keys(recordKinds)).toEqual(expect.arrayContaining([findingType, policyType, keyRotationType, pruneType]))
  expect(new Set(Object.values(recordKinds)).size).toBe(Object.keys(recordKinds).length)
})

test('a delivery in SLSA’s words is a provenance: what it was made from, by what, and when', () => {
  const made = provenanceOf({ run: 'run-1', environment: 'staging', modules: ['orders-api'], plan: 'sha256:1', commits: { orders: 'a'.repeat(40), app: 'b'.repeat(40) }, startedAt: 0, endedAt: 1 })
  expect(provenance.parse(made).buildDefinition.resolvedDependencies.map((one) => one.name)).toEqual(['app', 'orders'])
})
