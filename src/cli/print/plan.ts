import type { PlanAnswer } from '#api/client.ts'
import { counts, decisionLine, effectLines, failureLines } from './run.ts'
import { painter } from './table.ts'

/** `plumb plan`: what would happen, and what the gate says to it. */
export function printPlan(answer: PlanAnswer, options: { colours: boolean }): string[] {
  const paint = painter(options.colours)
  const lines = [`${paint('strong', answer.environment)}  snapshot ${answer.snapshot}  ${counts(answer.plan.summary)}`]
  for (const step of answer.steps) {
    const effects = step.effects.flatMap((effect) => effectLines(effect, paint))
    if (effects.length === 0 && step.failure === undefined) continue
    lines.push('', `  ${paint('strong', step.module)}`)
    if (step.failure !== undefined) lines.push(...failureLines(step.failure, '    ', paint))
    lines.push(...effects)
  }
  for (const failure of answer.unknown) lines.push('', ...failureLines(failure, '  ', paint))
  lines.push('', ...answer.gates.map((gate) => `  gate  ${decisionLine(gate, paint)}`), `  plan  ${answer.plan.digest}`)
  return lines
}
