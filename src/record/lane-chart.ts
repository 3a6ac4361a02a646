import { calledModule } from '#model/probe-state.ts'
import type { Verification } from '#model/run.ts'
import type { Moment } from './timeline.ts'
import { stamp } from './tell.ts'

const [width, labels, laneHeight, top] = [1000, 190, 26, 14]
/** Of more lanes the chart would be no chart. */
const mostLanes = 40

type Lane = { readonly environment: string; readonly module: string; readonly bars: { readonly from: number; readonly to: number; readonly verdict: Verification | 'none' }[] }

/**
 * A line of time in lanes, as SVG: one a module in an environment, in the colour of what it was found to be; commits are lines through them, runs, approvals
 * and findings are marks, and an onset is where it was so before anybody knew.
 */
export function laneChart(all: readonly Moment[], escape: (text: string) => string): string {
  // Commits may be much older than what was made of them: the line of time begins with the first thing that happened here.
  const moments = all.filter((one) => one.kind !== 'change')
  const times = moments.flatMap((one) => (one.onset === null ? [one.at] : [one.onset, one.at]))
  if (times.length === 0) return ''
  const [from, last] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))]
  const to = Math.max(last, from + 1_000)
  const x = (at: number): number => Math.round((labels + ((at - from) / (to - from)) * (width - labels - 12)) * 10) / 10
  const lanes = lanesOf(moments, from, to)
  const shown = lanes.slice(0, mostLanes)
  const height = top + shown.length * laneHeight + 26
  const rows = shown.map((lane, at) => {
    const y = top + at * laneHeight
    const bars = lane.bars.map((bar) => rect(x(bar.from), y + 8, x(bar.to) - x(bar.from), `bar-${bar.verdict}`, `${calledModule(lane.module)} in ${lane.environment}: ${bar.verdict === 'none' ? 'not known' : bar.verdict}, from ${stamp(bar.from)}`, escape))
    const mine = moments.filter((one) => one.environment === lane.environment && (one.modules.length === 0 || one.modules.includes(lane.module)))
    const marks = mine.map((one) => `<circle class="mark" cx="${x(one.at)}" cy="${y + 12}" r="3"><title>${escape(`${stamp(one.at)} ${one.kind}: ${one.text}`)}</title></circle>`)
    const onsets = mine.flatMap((one) => (one.onset === null ? [] : [`<line class="onset" x1="${x(one.onset)}" y1="${y + 3}" x2="${x(one.onset)}" y2="${y + 21}"><title>${escape(`since ${stamp(one.onset)}: ${one.text}`)}</title></line>`]))
    return `<text x="0" y="${y + 16}">${escape(short(calledModule(lane.module), 22))} <tspan class="quiet">${escape(short(lane.environment, 12))}</tspan></text>${bars.join('')}${onsets.join('')}${marks.join('')}`
  })
  const began = all.filter((one) => one.kind === 'run' && one.text.startsWith('began'))
  const lines = began.map((one) => `<line class="change" x1="${x(one.at)}" y1="${top - 6}" x2="${x(one.at)}" y2="${height - 22}"><title>${escape(`${one.ref ?? ''} ${one.text}`)}</title></line>`)
  const axis = [0, 1, 2, 3, 4].map((part) => {
    const at = from + ((to - from) * part) / 4
    return `<line class="axis" x1="${x(at)}" y1="${top - 8}" x2="${x(at)}" y2="${height - 20}"/><text class="quiet" x="${x(at)}" y="${height - 6}" text-anchor="${part === 4 ? 'end' : part === 0 ? 'start' : 'middle'}">${stamp(at).slice(5, 19)}</text>`
  })
  const more = lanes.length > shown.length ? `<p class="quiet">${lanes.length - shown.length} more modules are told below.</p>` : ''
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="How each module stood, from ${stamp(from)} to ${stamp(to)}">${axis.join('')}${lines.join('')}${rows.join('')}</svg>${more}`
}

function lanesOf(moments: readonly Moment[], from: number, to: number): Lane[] {
  const decided = new Map<string, { environment: string; module: string; changes: { at: number; verdict: Verification }[] }>()
  for (const { environment, modules, verdict, at, onset } of moments) {
    for (const module of modules) {
      const lane = decided.get(`${environment} ${module}`) ?? { environment, module, changes: [] }
      decided.set(`${environment} ${module}`, lane)
      if (verdict !== null) lane.changes.push({ at: onset ?? at, verdict })
    }
  }
  const sorted = [...decided].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, lane]) => lane)
  return sorted.map(({ environment, module, changes }) => {
    const starts = [{ at: from, verdict: 'none' as const }, ...changes.sort((a, b) => a.at - b.at)]
    return { environment, module, bars: starts.map((start, at) => ({ from: start.at, to: starts[at + 1]?.at ?? to, verdict: start.verdict })).filter((bar) => bar.to > bar.from || bar.to === to) }
  })
}

function rect(x: number, y: number, length: number, kind: string, title: string, escape: (text: string) => string): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${Math.max(1, Math.round(length * 10) / 10)}" height="8" rx="2"><title>${escape(title)}</title></rect>`
}

function short(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
