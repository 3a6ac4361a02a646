import type { Decision, Effect, FieldChange, ProbeResult, Run, Step } from '#api/client.ts'
import { environmentItself } from '#model/probe-state.ts'
import { showKey } from '#model/resource.ts'
import { failureLines } from './failure.ts'
import { operationLines } from './operations.ts'
import { probeLines } from './probes.ts'
import { cut, safe, wrap } from './safe.ts'
import { ago, columns, lasting, painter, word } from './table.ts'
import type { Look, Paint } from './table.ts'

/** `plumb runs`. */
export function printRuns(runs: readonly Run[], look: Look): string[] {
  const paint = painter(look)
  if (runs.length === 0) return ['There are no runs yet.']
  const head = ['RUN', 'ENVIRONMENT', 'STATE', 'AGE', 'PLAN', 'WHO', 'WHY'].map((text) => ({ text, tone: 'quiet' }) as const)
  const rows = runs.map((run) => [
    { text: run.id },
    { text: run.environment },
    word(run.state),
    { text: ago(run.createdAt, look.now) },
    { text: run.plan === null ? '-' : planned(run, run.plan) },
    { text: safe(run.actor.replace(/ <.*/s, '')) },
    { text: safe(run.reason) },
  ])
  return columns([head, ...rows], { width: look.width, elastic: [4, 6, 5] }, paint)
}

/** `plumb show RUN`: the whole story, in the order of the path. */
export function printRun(run: Run, look: Look): string[] {
  const paint = painter(look)
  const took = run.endedAt === null ? `for ${ago(run.createdAt, look.now)}` : `in ${seconds(run.createdAt, run.endedAt)}, ${ago(run.endedAt, look.now)} ago`
  const lines = [`${paint('strong', run.id)}  ${run.environment}  ${shown(run.state, paint)}  ${paint('quiet', took)}`]
  const say = (name: string, text: string): void => {
    lines.push(...wrap(text, look.width - 12).map((line, at) => `  ${paint('quiet', (at === 0 ? name : '').padEnd(10))}${line}`))
  }
  say('who', safe(run.actor))
  say('why', `${safe(run.reason)}${run.ticket === null ? '' : ` (${safe(run.ticket)})`}`)
  say('snapshot', run.snapshot)
  if (run.rollback !== undefined) say('back', run.rollback.of === null ? 'to what was delivered before' : `to what was delivered before ${run.rollback.of}${run.rollback.by === 'verdict' ? ', whose verdict decided it' : ''}`)
  const changes = run.changes.map((change) => [{ text: safe(change.repository) }, { text: change.sha.slice(0, 8), tone: 'warn' as const }, { text: safe(change.author.name) }, { text: safe(change.subject) }])
  lines.push(...columns(changes, { width: look.width, elastic: [2, 3], indent: ' '.repeat(12) }, paint))
  if (run.plan !== null) say('plan', `${planned(run, run.plan)} (${run.plan.digest.slice(0, 19)})`)
  for (const gate of run.gates) say('gate', `${gate.outcome} ${gate.code}: ${safe(gate.message)}`)
  for (const approval of run.approvals) say('approved', `by ${safe(approval.principal)}: ${safe(approval.reason)}`)
  if (run.operation !== undefined) {
    say('operation', `${safe(run.operation.name)}${run.operation.from === null ? '' : `, from ${safe(run.operation.from)} on`}${run.operation.slot === null ? '' : `, scheduled for ${run.operation.slot}`}`)
    if (run.operation.steps.length > 0) lines.push('', ...operationLines(run.operation, paint, look))
  }
  for (const step of run.steps) lines.push('', ...stepLines(step, run.probes, paint, look.width))
  const whole = run.probes.filter((probe) => probe.module === environmentItself)
  if (whole.length > 0) lines.push('', `  ${paint('strong', 'the change as a whole')}`, ...probeLines(whole, paint, look.width))
  if (run.failure !== null) lines.push('', ...failureLines(run.failure, '  ', paint, look.width))
  for (const one of run.waiting) {
    lines.push('', ...wrap(`waiting  ${safe(one.message)}`, look.width - 4).map((line) => `  ${paint('warn', line)}`))
    if (one.hint !== undefined) lines.push(...wrap(safe(one.hint.replaceAll(/\bRUN\b/g, run.id)), look.width - 4).map((line) => `    ${paint('quiet', line)}`))
  }
  if (run.record !== null) lines.push('', `  ${paint('quiet', 'record    ')}${run.environment} #${run.record.seq}  ${paint('quiet', run.record.digest)}`)
  return lines
}

/** What a run is about to do, in brief: what is told to whoever approves it. */
export function printRunPlan(run: Run, look: Look): string[] {
  if (run.plan === null) return []
  const paint = painter(look)
  const effects = run.steps.flatMap((step) => step.effects.flatMap((effect) => effectLines({ ...effect, changes: [] }, paint, look.width)))
  const shown = effects.length > mostEffects ? [...effects.slice(0, mostEffects), `    and more: plumb show ${run.id}`] : effects
  return [`Approving for ${run.environment}: ${planned(run, run.plan)} (plan ${run.plan.digest})`, ...shown, ...run.waiting.flatMap((one) => wrap(`asked for: ${safe(one.message)}`, look.width - 4).map((line) => `    ${line}`))]
}

/** So many lines of effects are told before an approval. */
const mostEffects = 40

function stepLines(step: Step, probes: readonly ProbeResult[], paint: Paint, width: number): string[] {
  const only = step.readinessOnly && step.verification === 'passed' ? paint('quiet', ' (readiness only)') : ''
  const decided = step.onFailure === undefined ? '' : paint('quiet', ` (onFailure: ${step.onFailure}, what depends on it ${step.onFailure === 'halt' || step.onFailure === 'rollback' ? 'waits' : 'goes on'})`)
  const lines = [`  ${paint('strong', safe(step.module))}  ${shown(step.delivery, paint)}  ${shown(step.verification, paint)}${only}${decided}`]
  if (step.failure !== undefined) lines.push(...failureLines(step.failure, '    ', paint, width))
  for (const effect of step.effects) lines.push(...effectLines(effect, paint, width))
  lines.push(...proofLines(step.proof, paint, width))
  return [...lines, ...probeLines(probes.filter((probe) => probe.module === step.module), paint, width)]
}

/** What changes of how a module is proven. */
export function proofLines(proof: readonly string[] | undefined, paint: Paint, width: number): string[] {
  return (proof ?? []).map((change) => `    ${paint('warn', 'proven by')}  ${cut(safe(change), Math.max(40, width - 16))}`)
}

/** What an effect does, and to which fields; nothing for what stays as it is. */
export function effectLines(effect: Effect, paint: Paint, width: number): string[] {
  if (effect.action === 'unchanged' && effect.changes.length === 0) return []
  const notes = [
    ...(effect.handedOverFrom === undefined ? [] : [`handed over from ${safe(effect.handedOverFrom)}`]),
    ...(effect.deferred === undefined ? [] : [`decided when it is reached: ${safe(effect.deferred)}`]),
    ...(effect.holdsState ? ['holds data'] : []),
    ...(effect.holdsData === undefined ? [] : [`with the data of ${safe(effect.holdsData.map(showKey).join(', '))}`]),
  ]
  const outcome = effect.outcome ?? effect.action
  const lines = [`    ${shown(outcome, paint)}${' '.repeat(Math.max(0, 10 - outcome.length))} ${safe(showKey(effect.key))}${notes.length === 0 ? '' : paint('quiet', `  (${notes.join('; ')})`)}`]
  // What is made anew is told by its name; its fields are all new.
  const changes = effect.action === 'created' ? effect.changes.filter((change) => change.state !== 'added') : effect.changes
  const taken = changes.filter(({ state, already }) => state === 'taken' && already === true)
  for (const change of taken.length > 1 ? changes.filter((one) => !taken.includes(one)) : changes) lines.push(`      ${changeLine(change, paint, Math.max(40, width - 8))}`)
  if (taken.length > 1) lines.push(...takenLines(taken, paint))
  if (effect.failure !== undefined) lines.push(...failureLines(effect.failure, '      ', paint, width))
  return lines
}

/** What is taken and is as Git says already is told by how much of it there is, and from whom: that it is ours again is all that changes. */
function takenLines(taken: readonly FieldChange[], paint: Paint): string[] {
  return [...Map.groupBy(taken, ({ owner }) => owner)].map(([owner, all]) => `      ${shown('taken', paint)} ${all.length} field${all.length === 1 ? '' : 's'} that ${all.length === 1 ? 'is' : 'are'} as Git says already${owner === undefined ? '' : paint('quiet', `  ${safe(owner)}`)}`)
}

/** A value may be a whole file: also where there is room for it, its beginning tells which. */
const longestValue = 200

function changeLine(change: FieldChange, paint: Paint, width: number): string {
  const path = safe(change.path)
  const room = Math.max(12, Math.min(longestValue, Math.floor((width - path.length - 8) / 2)))
  const from = change.from === undefined ? '' : brief(change.from, room)
  const to = change.to === undefined ? '' : brief(change.to, room)
  const by = change.owner === undefined ? '' : paint('quiet', `  ${safe(change.owner)}`)
  if (change.already === true && change.state === 'taken') return `${shown('taken', paint)} ${path}: ${to}${paint('quiet', '  as Git says already: only who owns it changes')}${by}`
  if (change.already === true) return `${paint('warn', change.state === 'added' ? '+' : '~')} ${path}: ${to}${paint('quiet', '  live already: Git says so now, and only who owns it changes')}${by}`
  if (change.state === 'added') return `${paint('good', '+')} ${path}: ${to}`
  if (change.state === 'removed') return `${paint('bad', '-')} ${path}: ${from}${by}`
  if (change.state === 'changed') return `${paint('warn', '~')} ${path}: ${from} -> ${to}`
  return `${shown(change.state, paint)} ${path}: ${from}${to === '' ? '' : ` (Git says ${to})`}${by}`
}

function brief(value: unknown, width: number): string {
  return cut(safe(typeof value === 'string' ? value : JSON.stringify(value)), width)
}

/** One rule's word on a plan. */
export function decisionLine(decision: Decision, paint: Paint): string {
  return `${shown(decision.outcome, paint)} ${decision.code}: ${safe(decision.message)}`
}

/** An operation plans nothing of what is declared, and does what its steps say. */
function planned({ operation }: Run, plan: NonNullable<Run['plan']>): string {
  return operation === undefined ? counts(plan.summary) : `operation ${safe(operation.name)}`
}

/** `2 created, 1 configured`; what is unchanged is not worth a word, unless there is nothing else. */
export function counts(summary: Readonly<Record<string, number>>): string {
  const parts = Object.entries(summary).filter(([action, count]) => count > 0 && action !== 'unchanged').map(([action, count]) => `${count} ${action}`)
  return parts.length === 0 ? 'nothing to do' : parts.join(', ')
}

function shown(text: string, paint: Paint): string {
  return paint(word(text).tone, text)
}

function seconds(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from)
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)}s` : lasting(ms)
}
