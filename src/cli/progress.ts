import type { Run } from '#api/client.ts'
import { cut, safe } from './print/safe.ts'
import { painter, word } from './print/table.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * One line when a module begins, one when it is through, and one for each thing that a run waits for: on standard error, so that the answer alone is
 * on standard output. Nothing is said twice, and nothing that may change again in a moment.
 */
export function progress(around: Surroundings): (run: Run) => void {
  const paint = painter(around)
  const said = new Set<string>()
  const say = (key: string, run: Run, text: string): void => {
    if (said.has(key)) return
    said.add(key)
    around.note(`${paint('quiet', run.environment.padEnd(11))} ${text}`)
  }
  const shown = (text: string): string => paint(word(text).tone, text)
  return (run) => {
    if (run.state === 'waiting') for (const one of run.waiting) say(`${run.id} waits ${one.code}`, run, `${shown('waiting')}  ${safe(one.message)}`)
    const room = Math.max(0, ...run.steps.map((step) => Math.min(40, step.module.length)))
    for (const step of run.steps) {
      const name = cut(safe(step.module), 40).padEnd(room)
      const key = `${run.id} ${step.module}`
      if (step.delivery === 'delivering' || (step.delivery === 'delivered' && step.verification === 'pending')) say(`${key} begins`, run, `${name}  ${shown(run.kind === 'verify' ? 'verifying' : 'delivering')}`)
      if (step.delivery === 'failed' || step.delivery === 'halted') say(`${key} ends`, run, `${name}  ${shown(step.delivery)}${step.failure === undefined ? '' : `  ${safe(step.failure.message)}`}`)
      if (step.delivery === 'delivered' && step.verification !== 'pending') say(`${key} ends`, run, `${name}  ${run.kind === 'verify' ? '' : `${shown('delivered')}, `}${shown(step.verification)}`)
    }
  }
}
