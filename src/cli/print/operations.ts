import type { Operation, RunOperation } from '#api/client.ts'
import { failureLines } from './failure.ts'
import { probeLines } from './probes.ts'
import { safe, wrap } from './safe.ts'
import { ago, columns, painter, word } from './table.ts'
import type { Look, Paint } from './table.ts'

/** `plumb operations`. */
export function printOperations(operations: readonly Operation[], look: Look): string[] {
  const paint = painter(look)
  if (operations.length === 0) return ['There are no operations.']
  const head = ['OPERATION', 'ENVIRONMENT', 'LAST', 'DUE', 'WHAT FOR'].map((text) => ({ text, tone: 'quiet' }) as const)
  const rows = operations.map((one) => [
    { text: safe(one.name) },
    { text: safe(one.environment) },
    one.last === null ? { text: '-' } : { ...word(one.last.state), text: `${one.last.state} (${one.last.run})` },
    { text: one.nextAt ?? '-' },
    { text: safe(one.about) },
  ])
  return columns([head, ...rows], { width: look.width, elastic: [4] }, paint)
}

/** The steps of an operation, as they went. */
export function operationLines(operation: RunOperation, paint: Paint, look: Look): string[] {
  return operation.steps.flatMap((step) => {
    const took = step.startedAt === null ? '' : paint('quiet', `  ${step.endedAt === null ? `for ${ago(step.startedAt, look.now)}` : `${((Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000).toFixed(1)}s`}`)
    const lines = [`  ${paint(word(step.state).tone, step.state.padEnd(8))} ${paint('strong', safe(step.name))}  ${step.kind}${took}`]
    if (step.message !== null && step.failure === null && step.probes.length === 0) lines.push(...wrap(safe(step.message), look.width - 6).map((line) => `      ${paint('quiet', line)}`))
    lines.push(...probeLines(step.probes.map((probe) => ({ ...probe, module: step.name })), paint, look.width))
    if (step.failure !== null && step.probes.length === 0) lines.push(...failureLines(step.failure, '      ', paint, look.width))
    return lines
  })
}
