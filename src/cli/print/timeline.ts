import type { Moment, Timeline } from '#api/client.ts'
import { calledModule } from '#model/probe-state.ts'
import { safe, widthOf, wrap } from './safe.ts'
import { lasting, painter, word } from './table.ts'
import type { Look, Paint } from './table.ts'

type Verdict = NonNullable<Moment['verdict']>
type Lane = { readonly environment: string; readonly module: string }

/** How a module stands, drawn; told apart without colours too. */
const bars: Readonly<Record<Verdict, string>> = { passed: '│', warned: '┆', failed: '┃', unknown: '?', stale: '┊' }
const marks: Readonly<Record<Verdict, string>> = { passed: '●', warned: '▲', failed: '✗', unknown: '?', stale: '◌' }
/** Of more modules no lanes are drawn: the words tell which. */
const mostLanes = 12

/**
 * One line of time, downwards. A lane for each module in each environment shows how it stands: `│` passed, `┃` failed, …; a mark on it is where that was
 * decided, `┬` where it was so already, as was known later, and `○` what is about it and decides nothing.
 */
export function printTimeline(timeline: Timeline, look: Look): string[] {
  const paint = painter(look)
  if (timeline.moments.length === 0) return [`Nothing happened between ${dayAndClock(timeline.since)} and ${dayAndClock(timeline.until)}.`]
  const lanes = lanesOf(timeline)
  const drawn = lanes.length <= mostLanes ? lanes : []
  const state = new Map<string, Verdict>(timeline.standing.map((one) => [keyOf(one), one.verdict]))
  const lines = [...legend(drawn, paint), ...(timeline.whole ? [] : ['Older moments are left out: there are too many.'])]
  let day = ''
  for (const row of rowsOf(timeline.moments)) {
    if (row.at.slice(0, 10) !== day) {
      day = row.at.slice(0, 10)
      lines.push(paint('strong', day))
    }
    const before = new Map(state)
    const { moment } = row
    if (row.is === 'moment' && moment.verdict !== null) for (const module of moment.modules) state.set(keyOf({ environment: moment.environment, module }), moment.verdict)
    const graph = drawn.map((lane) => cell(lane, row, before, state, paint)).join(' ')
    const rest = drawn.map((lane) => bar(state.get(keyOf(lane)), paint)).join(' ')
    const isEarlier = moment.kind === 'change' && moment.at < timeline.since
    lines.push(...told(row, { graph, rest, where: whereOf(moment, lanes), earlier: isEarlier ? ' (made earlier, delivered since)' : '' }, drawn.length, look.width, paint))
  }
  return lines
}

type Row = { readonly at: string; readonly is: 'moment' | 'onset'; readonly moment: Moment }

/** A moment that was known later than it began has a row of its own where it began. */
function rowsOf(moments: readonly Moment[]): Row[] {
  const onsets = moments.filter((one) => one.onset !== null && Date.parse(one.at) - Date.parse(one.onset) >= 1_000).map((moment): Row => ({ at: moment.onset ?? moment.at, is: 'onset', moment }))
  return [...onsets, ...moments.map((moment): Row => ({ at: moment.at, is: 'moment', moment }))].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}

function lanesOf({ moments, standing }: Timeline): Lane[] {
  const told = moments.flatMap(({ environment, modules }) => modules.map((module) => ({ environment, module })))
  const lanes = new Map([...told, ...standing.filter((one) => told.some((other) => other.environment === one.environment && other.module === one.module))].map((lane) => [keyOf(lane), lane]))
  return [...lanes.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

function keyOf({ environment, module }: Lane): string {
  return `${environment} ${module}`
}

/** The lanes' names, each above its lane. */
function legend(lanes: readonly Lane[], paint: Paint): string[] {
  return lanes.map((lane, at) => `${' '.repeat(timeWidth)}${lanes.slice(0, at).map(() => '│ ').join('')}┌ ${safe(calledModule(lane.module))} ${paint('quiet', `in ${safe(lane.environment)}`)}`)
}

const timeWidth = 10

function cell(lane: Lane, { is, moment }: Row, before: ReadonlyMap<string, Verdict>, state: ReadonlyMap<string, Verdict>, paint: Paint): string {
  const isAbout = moment.environment === lane.environment && (moment.modules.length === 0 || moment.modules.includes(lane.module))
  if (!isAbout) return bar(state.get(keyOf(lane)), paint)
  if (is === 'onset') return paint(word(moment.verdict ?? '').tone, '┬')
  if (moment.verdict !== null) return paint(word(moment.verdict).tone, marks[moment.verdict])
  return paint(word(before.get(keyOf(lane)) ?? '').tone, '○')
}

function bar(verdict: Verdict | undefined, paint: Paint): string {
  return verdict === undefined ? paint('quiet', '·') : paint(word(verdict).tone, bars[verdict])
}

/** Which modules a moment is about, where the one lane that there is does not tell. */
function whereOf({ environment, modules }: Moment, lanes: readonly Lane[]): string {
  if (lanes.length < 2) return ''
  const place = lanes.some((lane) => lane.environment !== lanes[0]?.environment) ? ` in ${safe(environment)}` : ''
  if (modules.length === 0) return place === '' ? '' : `all${place}: `
  return `${modules.length === 1 ? safe(calledModule(modules[0] ?? '')) : `${modules.length} modules`}${place}: `
}

/** What surrounds the words of a row. `earlier`: said of a commit that is older than what was asked for, and told because a run delivered it since. */
type Drawn = { readonly graph: string; readonly rest: string; readonly where: string; readonly earlier: string }

function told({ at, is, moment }: Row, { graph, rest, where, earlier }: Drawn, lanes: number, width: number, paint: Paint): string[] {
  const kind = (is === 'onset' ? 'since' : moment.kind).padEnd(9)
  const by = moment.by === null || is === 'onset' ? '' : `  ${safe(moment.by)}`
  const ref = moment.ref === null || is === 'onset' || moment.kind === 'change' || moment.text.includes(moment.ref) ? '' : `  ${safe(moment.ref)}`
  const text = is === 'onset' ? `${where}so it is from here on, which was known ${lasting(Date.parse(moment.at) - Date.parse(at))} later` : `${where}${safe(moment.text)}${earlier}`
  const indent = timeWidth + (lanes === 0 ? 0 : lanes * 2) + kind.length + 1
  const [first = '', ...more] = wrap(text, Math.max(30, width - indent))
  const tail = widthOf(first) + widthOf(by + ref) + indent <= width || more.length === 0 ? paint('quiet', by + ref) : ''
  const tone = is === 'moment' && moment.verdict !== null ? word(moment.verdict).tone : 'plain'
  const lead = lanes === 0 ? '' : `${graph} `
  return [
    `${clock(at)}  ${lead}${paint(is === 'onset' ? 'quiet' : 'plain', kind)} ${paint(tone, first)}${tail}`,
    ...more.map((line, index) => `${' '.repeat(timeWidth)}${lanes === 0 ? '' : `${rest} `}${' '.repeat(kind.length + 1)}${paint(tone, line)}${index === more.length - 1 && tail === '' ? paint('quiet', by + ref) : ''}`),
  ]
}

/** UTC, to the second: what people in several places compare. */
function clock(iso: string): string {
  return iso.slice(11, 19)
}

function dayAndClock(iso: string): string {
  return `${iso.slice(0, 10)} ${clock(iso)}Z`
}
