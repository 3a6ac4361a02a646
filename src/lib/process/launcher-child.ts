// The small process of `launcher.ts`.
import { Failure } from '../failure.ts'
import { runHere } from './here.ts'
import type { Order, Outcome } from './launcher.ts'

const running = new Map<number, AbortController>()

// Signals to the terminal's group are for the process that we belong to: it decides, and we go when it goes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => {
  for (const abort of running.values()) abort.abort('its owner is gone')
  process.exit()
})
process.on('message', (order: Order) => {
  if ('stop' in order) running.get(order.id)?.abort(order.stop)
  else void carryOut(order.id, order.run)
})

async function carryOut(id: number, command: Parameters<typeof runHere>[0]): Promise<void> {
  const abort = new AbortController()
  running.set(id, abort)
  const outcome = await runHere({ ...command, signal: abort.signal }, (began) => tell({ id, began })).then(
    (exit): Outcome => ({ id, exit }),
    (error: unknown): Outcome => (error instanceof Failure ? { id, failure: error.toJSON() } : { id, error: (error as Error).message, code: (error as NodeJS.ErrnoException).code }),
  )
  running.delete(id)
  tell(outcome)
}

function tell(outcome: Outcome): void {
  process.send?.(outcome)
}
