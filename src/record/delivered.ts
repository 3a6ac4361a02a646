import type { ModuleOutcome } from '#model/run.ts'

/** From best to worst. */
const deliveries = ['delivered', 'pending', 'delivering', 'halted', 'failed'] as const satisfies readonly ModuleOutcome['delivery'][]
const words = { delivered: 'delivered', pending: 'not delivered', delivering: 'not delivered', halted: 'halted', failed: 'not delivered' } as const

/** What became of a run's delivery, by the worst of its modules: one of two facts, beside what their verification found. */
export function deliveredWord(modules: readonly Pick<ModuleOutcome, 'delivery'>[]): string {
  const worst = Math.max(-1, ...modules.map(({ delivery }) => deliveries.indexOf(delivery)))
  return worst < 0 ? 'nothing delivered' : words[deliveries[worst] ?? 'pending']
}
