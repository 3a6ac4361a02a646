import type { ShowAnswer } from '#api/client.ts'
import { painter, safe, word } from './print/table.ts'
import type { Surroundings } from './surroundings.ts'

/** One line for each thing that a run gets done, on standard error: the answer stays on standard output. */
export function progress(around: Surroundings): (run: ShowAnswer) => void {
  const paint = painter(around.colours)
  const said = new Map<string, string>()
  const say = (key: string, state: string, line: string): void => {
    if (said.get(key) === state) return
    said.set(key, state)
    around.note(line)
  }
  return (run) => {
    const where = paint('quiet', run.environment.padEnd(11))
    if (run.state === 'waiting') for (const one of run.waiting) say(`${run.id} ${one.code}`, one.message, `${where} ${word('waiting', paint)}  ${safe(one.message)}`)
    for (const step of run.steps) {
      const key = `${run.id} ${step.module}`
      if (step.delivery === 'delivering' || step.delivery === 'failed' || step.delivery === 'halted')
        say(key, step.delivery, `${where} ${step.module}  ${word(step.delivery, paint)}${step.failure === undefined ? '' : `  ${safe(step.failure.message)}`}`)
      if (step.delivery !== 'delivered') continue
      if (step.verification === 'pending') say(key, 'delivered', `${where} ${step.module}  ${word('delivered', paint)}, verifying`)
      else say(key, step.verification, `${where} ${step.module}  ${word('delivered', paint)}, ${word(step.verification, paint)}`)
    }
  }
}
