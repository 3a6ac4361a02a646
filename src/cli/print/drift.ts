import type { Finding, FindingAnswer, FindingsAnswer, Watch } from '#api/client.ts'
import { moduleLabelPath } from '#model/module-label.ts'
import { showKey } from '#model/resource.ts'
import { printAdoption } from './adoption.ts'
import { failureLines } from './failure.ts'
import { cut, safe, widthOf, wrap } from './safe.ts'
import { ago, columns, painter, word } from './table.ts'
import type { Cell, Look, Paint } from './table.ts'

const titles = ['FINDING', 'STATE', 'CAUSE', 'ENVIRONMENT', 'OBJECT', 'WHAT', 'WHO', 'SINCE']

/** `plumb drift`: the findings, the most serious first; then what nobody can see just now. */
export function printDrift({ findings, watches, more, failure }: FindingsAnswer, look: Look): string[] {
  const paint = painter(look)
  const blind = watches.filter(isBlind)
  const none = findings.length > 0 ? [] : [blind.length === 0 && failure === null ? paint('good', 'Everything is as declared.') : 'Nothing is known to have drifted.']
  const table = findings.length === 0 ? [] : tableOf(findings, look, paint)
  const rest = more === 0 ? [] : [paint('quiet', `and ${more} more, none of them more serious: narrow it with -e and -m`)]
  const trouble = failure === null ? [] : ['', ...failureLines(failure, '', paint, look.width)]
  return [...none, ...table, ...rest, ...trouble, ...(blind.length === 0 ? [] : ['', ...blind.flatMap((watch) => watchLines(watch, look, paint))])]
}

/** One line a finding where the terminal has room for that; else what, who and since when stand below it. */
function tableOf(findings: readonly Finding[], look: Look, paint: Paint): string[] {
  const head = titles.map((text) => ({ text, tone: 'quiet' }) as const)
  const rows = findings.map((one) => cells(one, look))
  const wide = columns([head, ...rows], { width: Number.POSITIVE_INFINITY, elastic: [] }, paint)
  if (wide.every((line) => widthOf(line) <= look.width)) return wide
  const narrow = ([id, state, cause, , object]: readonly (Cell | undefined)[]): Cell[] => [id, state, cause, object].flatMap((cell) => cell ?? [])
  const [header = '', ...lines] = columns([head, ...rows].map(narrow), { width: look.width, elastic: [3] }, paint)
  const below = (finding: Finding): string[] =>
    wrap(`${what(finding)}, ${isKnown(finding) ? 'by ' : ''}${safe(who(finding))}, ${ago(finding.onset ?? finding.seenAt, look.now)} ago in ${safe(finding.environment)}`, look.width - 4).map((line) => `    ${cut(line, look.width - 4)}`)
  return [header, ...findings.flatMap((finding, at) => [lines[at] ?? '', ...below(finding)])]
}

/** What happens there would not be known. */
export function isBlind(watch: Watch): boolean {
  return watch.state !== 'watching'
}

function cells(finding: Finding, look: Look): Cell[] {
  return [
    { text: finding.id },
    word(finding.state),
    word(finding.cause),
    { text: safe(finding.environment) },
    { text: safe(showKey(finding.object)) },
    { text: what(finding) },
    { text: safe(who(finding)), tone: isKnown(finding) ? 'plain' : 'quiet' },
    { text: ago(finding.onset ?? finding.seenAt, look.now) },
  ]
}

/** The first field, and how many more there are; of a whole object what became of it. */
function what({ fields, cause, message }: Finding): string {
  const [first, ...more] = fields
  if (first === undefined || cause === 'recreated') return cause === 'missing' && message.endsWith('is being deleted') ? 'being deleted' : { missing: 'deleted', recreated: 'another object of that name', orphan: 'not ours' }[cause as string] ?? cause
  const values = first.secret === true ? 'another value' : `${brief(first.declared)} -> ${brief(first.live)}`
  return `${safe(first.path)}: ${values}${more.length === 0 ? '' : ` (and ${more.length} more)`}`
}

function who({ contested, person, manager }: Finding): string {
  if (contested.length > 0) return contested.join(' and ')
  return person ?? manager ?? 'nobody left a trace'
}

function isKnown({ contested, person, manager }: Finding): boolean {
  return contested.length > 0 || person !== null || manager !== null
}

function brief(value: unknown): string {
  return value === null ? 'nothing' : cut(safe(typeof value === 'string' ? value : JSON.stringify(value)), 40)
}

function watchLines(watch: Watch, look: Look, paint: Paint): string[] {
  const name = `${safe(watch.target)} in ${safe(watch.environment)}`
  const why = watch.state === 'down' ? `is not heard of since ${ago(watch.since, look.now)}` : watch.state === 'starting' ? 'is being looked at for the first time' : 'is watched by no process'
  const lines = wrap(`${name} ${why}: what changed there since is not known.`, look.width).map((line) => paint('bad', line))
  return [...lines, ...(watch.failure === null ? [] : wrap(`${watch.failure.code}: ${safe(watch.failure.message)}`, look.width - 2).map((line) => `  ${paint('quiet', line)}`))]
}

/** `plumb drift show`: what differs, who made it so, since when, where it is declared, what is done about it, and what became of it. */
export function printFinding({ finding, history, adoption }: FindingAnswer, look: Look): string[] {
  const paint = painter(look)
  const lines = [`${paint('strong', finding.id)}  ${safe(finding.environment)}  ${paint(word(finding.state).tone, finding.state)}  ${paint('quiet', finding.cause)}`]
  const say = (name: string, text: string): void => {
    lines.push(...wrap(text, look.width - 12).map((line, at) => `  ${paint('quiet', (at === 0 ? name : '').padEnd(10))}${line}`))
  }
  say('what', safe(finding.message))
  say('object', `${safe(showKey(finding.object))} of ${safe(finding.module)}, in ${safe(finding.target)}`)
  say('who', safe(finding.person === null ? (finding.manager ?? 'nobody left a trace; an audit source would tell') : `${finding.person}${finding.manager === null ? '' : ` (${finding.manager})`}`))
  if (finding.contested.length > 0) say('contested', `${safe(finding.contested.join(' and '))} go on moving it: nothing is reverted any more`)
  say('since', `${finding.onset ?? 'nobody says'}; seen ${finding.seenAt}${finding.count === 1 ? '' : `, ${finding.count} times by now`}`)
  if (finding.source !== null) say('declared', `${safe(finding.source.repository)}/${safe(finding.source.file)}:${finding.source.line}:${finding.source.column}${finding.source.commit === null ? '' : ` (${finding.source.commit.sha.slice(0, 8)} ${safe(finding.source.commit.author)}: ${safe(finding.source.commit.subject)})`}`)
  say('policy', finding.decision)
  const end = history.findLast(({ what: became }) => became === 'resolved')
  if (finding.resolvedAt !== null && end?.at === finding.resolvedAt) say('resolved', `${end.at}: ${safe(end.reason)}`)
  if (finding.accepted !== null) say('accepted', `by ${safe(finding.accepted.by)} until ${finding.accepted.until}: ${safe(finding.accepted.reason)}`)
  if (finding.run !== null) say('run', finding.run)
  if (finding.fields.length > 0) lines.push('', ...fieldLines(finding, look, paint))
  if (finding.failure !== null) lines.push('', ...failureLines(finding.failure, '  ', paint, look.width))
  lines.push('', ...history.flatMap(({ at, what: became, actor, reason }) => wrap(`${at}  ${became} by ${safe(actor)}: ${safe(reason)}`, look.width - 2).map((line, index) => `  ${index === 0 ? '' : '  '}${paint('quiet', line)}`)))
  const isOfNow = history.findLastIndex(({ what: became }) => became === 'adopting') > history.findLastIndex(({ what: became }) => became === 'opened')
  const proposal = adoption === null || (finding.state !== 'adopting' && (adoption.commit === null || !isOfNow)) ? [] : ['', ...printAdoption(adoption, look).map((line) => `  ${line}`)]
  return [...lines, ...proposal, ...nextLines(finding, paint)]
}

/** What a decision left of the way back to Git that was under way. */
export function withdrawnLines(history: FindingAnswer['history']): string[] {
  const decided = history.findLastIndex(({ what: became }) => became === 'accepted' || became === 'reverted')
  const before = history[decided - 1]
  return before?.what === 'withdrawn' ? [`Its adoption is withdrawn: ${safe(before.reason)}.`] : []
}

function fieldLines(finding: Finding, look: Look, paint: Paint): string[] {
  return finding.fields.flatMap(({ path, declared, live, secret, instead }) => {
    const room = Math.max(20, look.width - 20)
    if (secret === true) return [`  ${safe(path)}`, `    ${paint('quiet', 'another value than the declared one; neither is shown')}`]
    // What is over is told as it was: neither need be so now.
    const was = finding.state === 'resolved' && finding.decision !== 'ignore' ? 'was ' : ''
    return [`  ${safe(path)}`, `    ${paint('bad', `${was}declared`)}  ${cut(safe(text(declared)), room)}`, `    ${paint('warn', `${was}live    `)}  ${cut(safe(instead === undefined ? text(live) : `(nothing; ${instead} is there instead)`), room)}`]
  })
}

function text(value: unknown): string {
  return value === null ? '(nothing)' : typeof value === 'string' ? value : JSON.stringify(value)
}

function nextLines({ id, state, run, cause, fields }: Finding, paint: Paint): string[] {
  if (state === 'reverting' && run !== null) return ['', paint('quiet', `  plumb show ${run} tells how far it is`)]
  if (state === 'resolved' || state === 'reverting') return []
  if (state === 'adopting') return ['', paint('quiet', `  or decide otherwise: plumb revert ${id} --reason WHY, or plumb accept ${id} --reason WHY --until 2d`)]
  // Another object is nothing that an edit in Git brings, nor is an item of another key, nor our own label; and what nobody declares has no way back.
  const isAdoptable = cause !== 'orphan' && cause !== 'recreated' && (fields.length === 0 || fields.some(({ path }) => path !== moduleLabelPath)) && fields.every(({ instead }) => instead === undefined)
  const ways = [...(cause === 'orphan' ? [] : [`plumb revert ${id} --reason WHY`]), ...(!isAdoptable ? [] : [`plumb adopt ${id} --reason WHY`]), `plumb accept ${id} --reason WHY --until 2d`]
  const other = fields.find(({ instead }) => instead !== undefined)?.instead
  const beside = other === undefined ? [] : [paint('quiet', `  a revert leaves ${safe(other)}, which is not ours: take it away first where the server does not take both`)]
  return ['', paint('quiet', `  ${ways.length === 1 ? '' : `${ways.slice(0, -1).join(', ')}, or `}${ways.at(-1)}`), ...beside]
}
