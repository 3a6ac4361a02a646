import type { EnvironmentStatus, ModuleStatus, StatusAnswer } from '#api/client.ts'
import { failureLines } from './failure.ts'
import { isGood } from '../status-exit.ts'
import { flappingText, whyNot } from './probes.ts'
import { safe, wrap } from './safe.ts'
import { isBlind } from './drift.ts'
import { ago, columns, lasting, painter, word } from './table.ts'
import type { Cell, Look, Paint } from './table.ts'

const head = ['MODULE', 'DELIVERY', 'VERIFICATION', 'SINCE', 'RUN', 'SNAPSHOT'].map((text) => ({ text, tone: 'quiet' }) as const)

/** `plumb status`: first how it stands as a whole, then each environment; two columns for two facts, and under a module why it is not as it should be. */
export function printStatus(status: StatusAnswer, look: Look): string[] {
  const paint = painter(look)
  const named = [status.workspace, status.snapshot].filter((one) => one !== null && one !== '').map((one) => safe(one ?? ''))
  const all = status.environments.flatMap((environment) => environment.modules)
  const lines = [[paint('strong', named[0] ?? 'no workspace'), ...named.slice(1), summary(all, paint)].join('  '), ...counted(all, paint)]
  for (const problem of status.problems) lines.push('', ...failureLines(problem, '', paint, look.width))
  for (const { name, failure, checkedAt } of status.repositories)
    if (failure !== null) {
      lines.push('', ...failureLines({ ...failure, subject: `repository ${name}` }, '', paint, look.width), paint('quiet', `  Its last head stands; looked at ${ago(checkedAt, look.now)} ago.`))
    }
  const modules = status.environments.flatMap((environment) => environment.modules.map((module) => ({ environment, module })))
  // The snapshot is for who has room for it: where it matters, the run tells it.
  const shown = look.width < 100 ? 5 : 6
  const table = [head, ...modules.map(({ module }) => cells(module, look))].map((row) => row.slice(0, shown))
  const [header = '', ...rows] = columns(table, { width: look.width, elastic: [0], indent: '  ' }, paint)
  if (modules.length > 0) lines.push('', header)
  for (const environment of status.environments) {
    const itself = environment.verification === null ? '' : `  ${paint(word(environment.verification).tone, `itself ${environment.verification}`)}`
    lines.push(`${paint('strong', environment.name)}${itself}`, ...quietly([...staleNote(environment), ...probeNotes(environment, look)], look, paint))
    if (environment.modules.length === 0) lines.push(paint('quiet', '  nothing is delivered here yet'))
    for (const [at, one] of modules.entries()) {
      if (one.environment !== environment) continue
      lines.push(rows[at] ?? '', ...pinLines(one.module, look, paint), ...quietly([...note(one.module, environment).map(safe), ...staleNote(one.module), ...probeNotes(one.module, look)], look, paint))
    }
    lines.push(...below(environment, look, paint))
  }
  return lines
}

function summary(all: readonly ModuleStatus[], paint: Paint): string {
  if (all.length === 0) return 'nothing is delivered yet'
  const good = all.filter(isGood).length
  return good === all.length ? paint('good', `all ${all.length} delivered and verified`) : `${good} of ${all.length} delivered and verified`
}

/** Two facts, counted apart: what failed to verify is delivered all the same. */
function counted(all: readonly ModuleStatus[], paint: Paint): string[] {
  const facts = (['delivery', 'verification'] as const).flatMap((fact) => {
    const counts = (['failed', 'unknown', 'stale'] as const).flatMap((state) => {
      const count = all.filter((one) => one[fact] === state).length
      return count === 0 ? [] : [paint(word(state).tone, `${count} ${state}`)]
    })
    return counts.length === 0 ? [] : [`${fact}: ${counts.join(', ')}`]
  })
  return facts.length === 0 ? [] : [`  ${facts.join('  ')}`]
}

function cells(module: ModuleStatus, look: Look): Cell[] {
  const verified = module.readinessOnly && module.verification === 'passed' ? 'passed (readiness only)' : module.verification
  return [
    { text: safe(module.name) },
    module.pinned === null ? word(module.delivery) : { ...word(module.delivery), text: `${module.delivery} (pinned)` },
    { ...word(module.verification), text: module.flapping ? `${verified} (flapping)` : verified },
    // What is verified may have been delivered anew since: it has been so without a break.
    { text: ago(isGood(module) ? (module.verifiedSince ?? module.since) : module.since, look.now) },
    { text: module.run ?? '-' },
    { text: module.snapshot ?? '-', tone: 'quiet' },
  ]
}

function quietly(texts: readonly string[], look: Look, paint: Paint): string[] {
  return texts.flatMap((text) => wrap(text, look.width - 4)).map((line) => `    ${paint('quiet', line)}`)
}

/** What holds a module at an older snapshot, and what ends that. */
function pinLines({ name, pinned }: ModuleStatus, look: Look, paint: Paint): string[] {
  if (pinned === null) return []
  const ends = pinned.by === 'rollback' ? 'until Git says something else than what was rolled back' : 'until a person lifts it'
  const text = `pinned to ${pinned.snapshot} for ${ago(pinned.at, look.now)} by ${safe(pinned.actor)}: ${safe(pinned.reason)}${pinned.ticket === null ? '' : ` (${safe(pinned.ticket)})`}; ${ends}, or plumb pin ${safe(name)} --lift`
  return wrap(text, look.width - 4).map((line) => `    ${paint('warn', line)}`)
}

function staleNote({ stale }: Pick<ModuleStatus, 'stale'>): string[] {
  return stale === null ? [] : [`stale: ${safe(stale)}`]
}

/** Of its probes what is not as it should be: since when, what it says, and what lies just before. */
function probeNotes({ probes }: Pick<ModuleStatus, 'probes'>, look: Look): string[] {
  return probes.flatMap((probe) => {
    const cause = probe.causes.at(-1)
    const after = cause === undefined ? '' : `; before it: ${cause.kind} ${safe(cause.id)}, ${lasting(Date.parse(probe.onset) - Date.parse(cause.at))} earlier (${safe(cause.about)})`
    const isTold = probe.flapping || probe.verdict !== 'passed'
    return [
      ...(isTold ? [`${safe(probe.probe)} ${probe.verdict} for ${ago(probe.onset, look.now)}: ${safe(probe.message)}${whyNot(probe)}${after}`] : []),
      ...(probe.flapping ? [`${safe(probe.probe)} is ${flappingText(probe.history)}`] : []),
      ...(probe.quietSince === null ? [] : [`${safe(probe.probe)} changed its verdict again and again, and is quiet since ${probe.quietSince}`]),
    ]
  })
}

/** What is said of the whole environment below its modules is not said of each. */
function note(module: ModuleStatus, environment: EnvironmentStatus): string[] {
  const told = environment.waiting.map((one) => one.message)
  return (module.note ?? '') === '' || told.some((message) => module.note?.includes(message)) ? [] : [module.note ?? '']
}

function below(environment: EnvironmentStatus, look: Look, paint: Paint): string[] {
  const lines: string[] = []
  const say = (text: string, tone: 'warn' | 'quiet'): void => {
    lines.push(...wrap(text, look.width - 4).map((line, at) => `${at === 0 ? '  ' : '    '}${paint(tone, line)}`))
  }
  if (environment.gone) {
    say(`gone from Git: nothing is delivered here, and the ${environment.holds} object${environment.holds === 1 ? '' : 's'} that it holds stay${environment.holds === 1 ? 's' : ''}`, 'warn')
    say(`plumb prune -e ${environment.name} --reason WHY deletes them; plumb forget -e ${environment.name} --reason WHY leaves them and holds them no more`, 'quiet')
  }
  for (const pause of environment.pauses) say(`${pause.module === null ? 'paused' : `${pause.module} is paused`} until ${pause.until} by ${safe(pause.by)}: ${safe(pause.reason)}`, 'warn')
  for (const watch of environment.watches.filter(isBlind)) say(`${safe(watch.target)} is ${watch.state === 'down' ? `not heard of since ${ago(watch.since, look.now)}` : watch.state === 'starting' ? 'being looked at for the first time' : 'watched by no process'}: drift there is not known${watch.failure === null ? '' : ` (${watch.failure.code})`}`, 'warn')
  if (environment.unpublished !== null) {
    const { code, message, hint } = environment.unpublished
    say(`the head of its records is not published: ${code}: ${safe(message)}`, 'warn')
    if (hint !== undefined) say(safe(hint), 'quiet')
  }
  const found = environment.modules.filter((module) => module.findings > 0)
  if (found.length > 0) say(`drift: ${found.map(driftOf).join(', ')}. plumb drift -e ${safe(environment.name)}`, 'warn')
  for (const run of new Set(environment.waiting.map((one) => one.run))) {
    const waits = environment.waiting.filter((one) => one.run === run)
    say(`${run} waits: ${waits.map((one) => safe(one.message)).join(' ')}`, 'warn')
    if (waits.some((one) => one.waitingFor === 'approval' || one.waitingFor === 'person')) say(`plumb show ${run}; then plumb approve ${run} --reason WHY`, 'quiet')
  }
  return lines
}

/** A module with how many findings it has, and how many of them are on their way back. */
function driftOf({ name, findings, adopting, reverting }: ModuleStatus): string {
  const of = (count: number, what: string): string[] => (count === 0 ? [] : [count === findings ? what : `${count} ${what}`])
  const ways = [...of(adopting, `on ${adopting === 1 ? 'its' : 'their'} way back to Git`), ...of(reverting, 'being reverted')]
  return `${safe(name)} (${[`${findings} finding${findings === 1 ? '' : 's'}`, ...ways].join(', ')})`
}
