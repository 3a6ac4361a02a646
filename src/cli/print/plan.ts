import type { PlanAnswer } from '#api/client.ts'
import { failureLines } from './failure.ts'
import { counts, decisionLine, effectLines, proofLines } from './run.ts'
import { safe } from './safe.ts'
import { painter } from './table.ts'
import type { Look } from './table.ts'

/** `plumb plan`: what would happen, and what the gate says to it. */
export function printPlan(answer: PlanAnswer, look: Look): string[] {
  const paint = painter(look)
  const lines = [`${paint('strong', answer.environment)}  ${counts(answer.plan.summary)}  ${paint('quiet', `snapshot ${answer.snapshot}`)}`]
  for (const step of answer.steps) {
    const effects = [...step.effects.flatMap((effect) => effectLines(effect, paint, look.width)), ...proofLines(step.proof, paint, look.width)]
    if (effects.length === 0 && step.failure === undefined) continue
    lines.push('', `  ${paint('strong', safe(step.module))}`)
    if (step.failure !== undefined) lines.push(...failureLines(step.failure, '    ', paint, look.width))
    lines.push(...effects)
  }
  const isYielded = answer.steps.some(({ effects }) => effects.some(({ changes }) => changes.some(({ state }) => state === 'yielded')))
  if (isYielded) lines.push('', `  ${paint('quiet', 'What is yielded is moved by another controller, and had better be declared no more:')} plumb yield -e ${safe(answer.environment)}`)
  for (const failure of answer.unknown) lines.push('', ...failureLines(failure, '  ', paint, look.width))
  lines.push('', ...answer.gates.map((gate) => `  ${paint('quiet', 'gate  ')}${decisionLine(gate, paint)}`), `  ${paint('quiet', `plan  ${answer.plan.digest}`)}`)
  return lines
}
