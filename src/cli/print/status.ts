import type { StatusAnswer } from '#api/client.ts'
import { ago, painter, safe, table, word } from './table.ts'

/** `plumb status`: two columns for two facts, and what a person should know next. */
export function printStatus(status: StatusAnswer, options: { colours: boolean; width: number; now: number }): string[] {
  const paint = painter(options.colours)
  const rows = status.environments.flatMap((environment) =>
    environment.modules.map((module) => [
      environment.name,
      module.name,
      word(module.delivery, paint),
      word(module.verification, paint) + (module.readinessOnly && module.verification === 'passed' ? paint('quiet', ' (readiness only)') : ''),
      module.snapshot ?? '-',
      module.run ?? '-',
      safe(module.note ?? ''),
    ]),
  )
  const lines = rows.length === 0 ? ['Nothing is delivered yet.'] : table(['ENVIRONMENT', 'MODULE', 'DELIVERY', 'VERIFICATION', 'SNAPSHOT', 'RUN', 'NOTE'], rows, options.width, paint)
  for (const repository of status.repositories)
    if (repository.failure !== null)
      lines.push('', `${paint('bad', 'repository')} ${repository.name}: ${safe(repository.failure.message)} (the last snapshot stands; looked ${ago(repository.checkedAt, options.now)} ago)`)
  for (const problem of status.problems) lines.push('', `${paint('bad', problem.code)} ${safe(problem.subject)}: ${safe(problem.message)}`, ...(problem.hint === undefined ? [] : [`  ${safe(problem.hint)}`]))
  for (const environment of status.environments) {
    for (const pause of environment.pauses)
      lines.push('', `${paint('warn', 'paused')} ${environment.name}${pause.module === null ? '' : `/${pause.module}`} until ${pause.until} by ${pause.by}: ${safe(pause.reason)}`)
    for (const one of environment.waiting) lines.push('', `${paint('warn', 'waiting')} ${one.run} (${environment.name}): ${safe(one.message)}`)
  }
  return lines
}
