import { createHash } from 'node:crypto'
import { calledModule } from '#model/probe-state.ts'
import { laneChart } from './lane-chart.ts'
import { verification } from './markdown.ts'
import type { Report } from './report.ts'
import { stamp, tellRecord } from './tell.ts'
import type { ToldRecord } from './tell.ts'

const style = `
:root { color-scheme: light; --ink: #1c2330; --quiet: #667085; --line: #d5dae3; --passed: #1a7f4b; --warned: #b26a00; --failed: #c0332b; --unknown: #7a4fb5; --stale: #8a93a3 }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 2rem auto; max-width: 68rem; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 0 .3rem } h2 { margin: 2rem 0 .5rem; font-size: 1.2rem } h3 { font-size: 1rem; margin: .8rem 0 .3rem }
p.quiet, .quiet { color: var(--quiet) }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; font-size: .87rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
th { color: var(--quiet); font-weight: 500 }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums }
.passed { color: var(--passed) } .warned { color: var(--warned) } .failed { color: var(--failed); font-weight: 600 } .unknown { color: var(--unknown) } .stale { color: var(--stale) }
details { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .8rem; margin: .5rem 0 } summary { cursor: pointer; overflow-wrap: anywhere }
svg { width: 100%; height: auto; margin: .5rem 0 } svg text { font: 11px system-ui, sans-serif; fill: var(--ink) } svg text.quiet { fill: var(--quiet) }
svg .bar-passed { fill: var(--passed) } svg .bar-warned { fill: var(--warned) } svg .bar-failed { fill: var(--failed) } svg .bar-unknown { fill: var(--unknown) } svg .bar-stale, svg .bar-none { fill: var(--line) }
svg .axis { stroke: var(--line) } svg .change { stroke: var(--ink); stroke-dasharray: 2 2 } svg .mark { fill: #fff; stroke: var(--ink) } svg .onset { stroke: var(--failed); stroke-width: 2 }
@media print { body { margin: 0; max-width: none; font-size: 11px } details { break-inside: avoid; border: none; padding: 0 } h2 { break-after: avoid } * { print-color-adjust: exact } }
`

/** Nothing is loaded and nothing runs: whatever a record says, it is text. The one style is named by its digest. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`

/** A report as one page that stands by itself: to attach, to print, to read without a network. */
export function htmlOf(report: Report): string {
  const chains = report.chains.map((chain) => [
    chain.environment, String(chain.records), String(chain.sealed), chain.head ?? '', chain.defects.length === 0 ? 'passed' : `failed: ${chain.defects.map((one) => `${one.where} ${one.what}`).join('; ')}`,
  ])
  const moments = report.moments.map((one) => [stamp(one.at), one.environment, one.kind, one.modules.map(calledModule).join(', '), one.text, one.onset === null ? '' : stamp(one.onset), one.by ?? ''])
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${escape(policy)}"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(report.title)}</title><style>${style}</style></head><body>
<h1>${escape(report.title)}</h1>
<p class="quiet">Made ${stamp(report.madeAt)}, all times in UTC. ${escape(verification(report))}</p>
${table(['environment', 'records', 'sealed', 'head', 'verified'], chains)}
${report.leftOut > 0 ? `<p class="quiet">${report.leftOut} older records are left out.</p>` : ''}
<h2>Timeline</h2>
${laneChart(report.moments, escape)}
${table(['at', 'environment', 'what', 'modules', 'told', 'since', 'by'], moments)}
<h2>Records</h2>
${report.records.map(({ statement, digest }) => told(tellRecord(statement, digest), report.records.length === 1 ? 'open' : 'closed')).join('\n')}
</body></html>
`
}

function told({ heading, facts, tables }: ToldRecord, at: 'open' | 'closed'): string {
  const parts = tables.map((one) => `<h3>${escape(one.title)}</h3>${table(one.columns, one.rows)}`)
  return `<details${at === 'open' ? ' open' : ''}><summary>${escape(heading)}</summary>${table([], facts.map(([name, value]) => [name, value]))}${parts.join('')}</details>`
}

const verdicts = /^(passed|warned|failed|unknown|stale)\b/

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p class="quiet">None.</p>'
  const cell = (text: string): string => {
    const kind = verdicts.exec(text)?.[1] ?? (/^\d{4}-\d\d-\d\d \d\d:/.test(text) ? 'time' : undefined)
    return `<td${kind === undefined ? '' : ` class="${kind}"`}>${escape(text)}</td>`
  }
  const head = columns.length === 0 ? '' : `<thead><tr>${columns.map((one) => `<th>${escape(one)}</th>`).join('')}</tr></thead>`
  return `<table>${head}<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('')}</tbody></table>`
}

function escape(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
