import { describe, expect, test } from 'vitest'
import { ChainWriter } from './chain-fixture.ts'
import { keyIdOf, newKeyPair, publicKeyOf } from './dsse.ts'
import { htmlOf } from './html.ts'
import { markdownOf } from './markdown.ts'
import { aFinding, aRun, aSummary, aVerdictChange } from './records-fixture.ts'
import { makeReport } from './report.ts'
import type { Narrowed, Report } from './report.ts'
import { verifyChain } from './verify.ts'

const keys = newKeyPair()
const hostile = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)> | `a` [x](javascript:alert(3)) \u001b[31m \u202eabc\n# heading &lt; https://evil.example'

function reportOf(narrowed: Narrowed = {}): Report {
  const chain = new ChainWriter(keys.privatePem)
    .append((link) => aRun(link, {
      reason: hostile,
      modules: [{ module: 'orders-api', delivery: 'delivered', verification: 'passed', readinessOnly: false }],
      changes: [{ repository: 'orders', sha: 'c'.repeat(40), author: { name: hostile, email: 'a@b' }, at: 1, subject: hostile, trailers: {} }],
      effects: [{ key: `apps/Deployment/orders/${hostile}`, module: 'orders-api', action: 'configured', outcome: 'configured', changes: [{ path: 'spec.replicas', state: 'changed', from: 1, to: hostile }] }],
      unknown: [{ code: 'internal', subject: hostile, message: hostile, retry: 'never' }],
    }))
    .append((link) => aVerdictChange(link, { message: hostile }))
    .append((link) => aFinding(link, { reason: hostile, by: hostile }))
    .append(aSummary)
    .rotate(newKeyPair().privatePem)
    .append((link) => aRun(link, { modules: [] }))
    .seal()
    .chain()
  const key = publicKeyOf(keys.publicPem)
  return makeReport({ title: `Records ${hostile}`, madeAt: 1_000, key: { keyId: keyIdOf(key), came: 'from whoever made this' }, chains: [verifyChain(chain, [key])] }, [chain], narrowed)
}

describe('a report', () => {
  test('tells the records, their line of time, and what verifying them found', () => {
    const report = reportOf()
    expect(report).toMatchObject({ records: { length: 6 }, leftOut: 0, chains: [{ defects: [] }] })
    expect(report.moments.map((one) => one.kind)).toEqual(expect.arrayContaining(['change', 'run', 'verdict', 'finding', 'context']))
    expect(report.moments.map((one) => one.at)).toEqual(report.moments.map((one) => one.at).sort((a, b) => a - b))
    for (const page of [htmlOf(report), markdownOf(report)]) {
      expect(page).toContain('replica lag 47 s, threshold 10 s')
      expect(page).toContain('The records verified with the key')
    }
  })

  test('is narrowed to a run, a module or a time', () => {
    expect(reportOf({ run: 'run-0' }).records.map((one) => one.seq)).toEqual([0])
    expect(reportOf({ module: 'orders-api' }).records).toHaveLength(4)
    expect(reportOf({ since: Date.UTC(2026, 4, 1, 9, 4) }).records.map((one) => one.seq)).not.toContain(0)
  })

  test('says so where the records do not verify', () => {
    const report = reportOf()
    const failed: Report = { ...report, chains: [{ environment: 'staging', records: 6, pruned: 0, sealed: 6, head: null, defects: [{ where: 'record 2', what: 'was changed' }] }] }
    expect(htmlOf(failed)).toContain('failed: record 2 was changed')
    expect(markdownOf(failed)).toContain('did not verify')
  })
})

describe('a report as a page', () => {
  const page = htmlOf(reportOf())

  test('stands by itself: nothing is loaded, and nothing can run', () => {
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/)
    const tags = page.match(/<[^>]+>/g) ?? []
    expect(tags.length).toBeGreaterThan(50)
    expect(tags.filter((tag) => /^<(script|link|img|iframe|object|embed|base|form|a)\b|\s(src|href|style|on\w+)\s*=/i.test(tag))).toEqual([])
    expect(page).not.toMatch(/@import|url\(/)
  })

  test('has what a record says as text alone', () => {
    const tags = new Set([...page.matchAll(/<\/?([a-z0-9]+)/gi)].map((one) => one[1]?.toLowerCase()))
    expect([...tags].sort()).toEqual(['body', 'circle', 'details', 'div', 'h1', 'h2', 'h3', 'head', 'html', 'line', 'meta', 'p', 'rect', 'style', 'summary', 'svg', 'table', 'tbody', 'td', 'text', 'th', 'thead', 'title', 'tr', 'tspan'].filter((one) => tags.has(one)))
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(page).not.toMatch(/[\u0000-\u0008\u001b\u202e]/)
  })

  test('draws a lane for each module, from when it was so', () => {
    expect(page).toContain('<svg ')
    expect(page).toContain('class="bar-passed"')
    expect(page).toContain('class="bar-failed"')
    expect(page).toContain('class="onset"')
  })
})

test('in Markdown no word of a record becomes markup', () => {
  const text = markdownOf(reportOf())
  expect(text).not.toMatch(/<script|<img/)
  expect(text).not.toMatch(/[^\\]\[x[^\\]?\]\(/)
  const rows = text.split('\n').filter((line) => line.startsWith('|') && line.includes('evil'))
  expect(rows.length).toBeGreaterThan(3)
  const columns = rows.map((row) => row.replaceAll(/\\\|/g, '').split('|').length - 2)
  expect(Math.max(...columns)).toBeLessThanOrEqual(7)
})
