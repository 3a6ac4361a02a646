import type { RunsAnswer, ShowAnswer } from '#api/client.ts'
import { showKey } from '#model/resource.ts'
import { ago, painter, safe, table, word } from './table.ts'
import type { Paint } from './table.ts'

type Run = ShowAnswer
type Effect = Run['steps'][number]['effects'][number]
type Decision = Run['gates'][number]

/** `plumb runs`. */
export function printRuns(runs: RunsAnswer['runs'], options: { colours: boolean; width: number; now: number }): string[] {
  const paint = painter(options.colours)
  if (runs.length === 0) return ['There are no runs yet.']
  const rows = runs.map((run) => [
    run.id,
    run.environment,
    word(run.state, paint),
    ago(run.createdAt, options.now),
    run.plan === null ? '-' : counts(run.plan.summary),
    safe(run.actor.replace(/ <.*/, '')),
    safe(run.reason),
  ])
  return table(['RUN', 'ENVIRONMENT', 'STATE', 'AGE', 'PLAN', 'ACTOR', 'REASON'], rows, options.width, paint)
}

/** `plumb show RUN`: the whole story, in the order of the path. */
export function printRun(run: Run, options: { colours: boolean }): string[] {
  const paint = painter(options.colours)
  const lines = [
    `${paint('strong', run.id)}  ${run.environment}  ${word(run.state, paint)}${run.endedAt === null ? '' : `  in ${seconds(run.createdAt, run.endedAt)}`}`,
    `  who       ${safe(run.actor)}`,
    `  why       ${safe(run.reason)}${run.ticket === null ? '' : `  (${safe(run.ticket)})`}`,
    `  snapshot  ${run.snapshot}`,
  ]
  for (const change of run.changes) lines.push(`    ${change.repository} ${change.sha.slice(0, 8)}  ${safe(change.author.name)}: ${safe(change.subject)}`)
  if (run.plan !== null) lines.push(`  plan      ${run.plan.digest.slice(0, 19)}  ${counts(run.plan.summary)}`)
  for (const gate of run.gates) lines.push(`  gate      ${decisionLine(gate, paint)}`)
  for (const approval of run.approvals) lines.push(`  approved  by ${approval.principal}: ${safe(approval.reason)}`)
  for (const step of run.steps) {
    lines.push('', `  ${paint('strong', step.module)}  ${word(step.delivery, paint)}  ${word(step.verification, paint)}${step.readinessOnly && step.verification === 'passed' ? paint('quiet', ' (readiness only)') : ''}`)
    if (step.failure !== undefined) lines.push(...failureLines(step.failure, '    ', paint))
    for (const effect of step.effects) lines.push(...effectLines(effect, paint))
    for (const probe of run.probes.filter((one) => one.module === step.module)) {
      const last = probe.samples.at(-1)
      lines.push(`    probe ${probe.probe}  ${word(probe.verdict, paint)}  ${safe(last?.message ?? '')}${probe.samples.length > 1 ? paint('quiet', ` (asked ${probe.samples.length} times)`) : ''}`)
      if (last !== undefined) lines.push(paint('quiet', `      ${safe(last.target)}`))
    }
  }
  if (run.failure !== null) lines.push('', ...failureLines(run.failure, '  ', paint))
  for (const one of run.waiting) lines.push('', `  ${word('waiting', paint)}  ${safe(one.message)}`, ...(one.hint === undefined ? [] : [`    ${safe(one.hint.replaceAll(' RUN', ` ${run.id}`))}`]))
  if (run.record !== null) lines.push('', `  record    ${run.environment} #${run.record.seq}  ${run.record.digest}`)
  return lines
}

export function effectLines(effect: Effect, paint: Paint): string[] {
  if (effect.action === 'unchanged' && effect.changes.length === 0) return []
  const shown = effect.outcome ?? effect.action
  const notes = [
    ...(effect.handedOverFrom === undefined ? [] : [`handed over from ${effect.handedOverFrom}`]),
    ...(effect.deferred === undefined ? [] : [`decided when it is reached: ${effect.deferred}`]),
    ...(effect.holdsState ? ['holds data'] : []),
  ]
  const lines = [`    ${word(shown, paint)} ${safe(showKey(effect.key))}${notes.length === 0 ? '' : paint('quiet', `  (${notes.join('; ')})`)}`]
  // What is made anew is told by its name; its fields are all new.
  const changes = effect.action === 'created' ? effect.changes.filter((change) => change.state !== 'added') : effect.changes
  for (const change of changes) lines.push(`      ${changeLine(change, paint)}`)
  if (effect.failure !== undefined) lines.push(...failureLines(effect.failure, '      ', paint))
  return lines
}

function changeLine(change: Effect['changes'][number], paint: Paint): string {
  const by = change.owner === undefined ? '' : `  ${change.owner}`
  const from = change.from === undefined ? '' : brief(change.from)
  const to = change.to === undefined ? '' : brief(change.to)
  const path = safe(change.path)
  if (change.state === 'added') return `${paint('good', '+')} ${path}: ${to}`
  if (change.state === 'removed') return `${paint('bad', '-')} ${path}: ${from}${by}`
  if (change.state === 'changed') return `${paint('warn', '~')} ${path}: ${from} -> ${to}`
  return `${word(change.state, paint)} ${path}: ${from}${to === '' ? '' : ` (Git says ${to})`}${safe(by)}`
}

function brief(value: unknown): string {
  const text = safe(typeof value === 'string' ? value : JSON.stringify(value))
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

export function failureLines(failure: { code: string; subject: string; message: string; hint?: string | undefined }, indent: string, paint: Paint): string[] {
  return [`${indent}${paint('bad', failure.code)}: ${safe(failure.subject)}: ${safe(failure.message)}`, ...(failure.hint === undefined ? [] : [`${indent}  ${safe(failure.hint)}`])]
}

export function decisionLine(decision: Decision, paint: Paint): string {
  const mark = { allow: paint('good', 'allow'), wait: paint('warn', 'wait'), refuse: paint('bad', 'refuse') }[decision.outcome]
  return `${mark} ${decision.code}: ${safe(decision.message)}`
}

/** `2 created, 1 configured`; what is unchanged is not worth a word, unless there is nothing else. */
export function counts(summary: Readonly<Record<string, number>>): string {
  const parts = Object.entries(summary).filter(([action, count]) => count > 0 && action !== 'unchanged').map(([action, count]) => `${count} ${action}`)
  return parts.length === 0 ? 'nothing to do' : parts.join(', ')
}

function seconds(from: string, to: string): string {
  return `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`
}
