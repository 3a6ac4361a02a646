import { z } from 'zod'
import { isGood } from './judge-samples.ts'
import type { Verdict } from './probe.ts'

/**
 * What a verification that is not good decides about what depends on the module, from lenient to strict: it goes on; it goes on and people are told; it waits;
 * it waits, and the module goes back to what worked. What is not delivered at all always stops what depends on it.
 */
const answers = ['continue', 'alert', 'halt', 'rollback'] as const
export type OnFailure = (typeof answers)[number]

/** As it is configured. */
export const onFailure = z.enum(answers)

/** The stricter of what the environment and the module say: a module may ask for more care than its environment, and never for less. */
export function strictest(...asked: readonly (OnFailure | undefined)[]): OnFailure {
  return asked.reduce<OnFailure>((strict, one) => (one !== undefined && answers.indexOf(one) > answers.indexOf(strict) ? one : strict), 'continue')
}

/**
 * What the verdict on a module that was delivered decides; nothing where it is good. What is not known stops what failed stops, and is no reason to go back:
 * unknown is not failed.
 */
export function decided(verdict: Verdict, policy: OnFailure): OnFailure | undefined {
  if (isGood({ verdict })) return undefined
  return policy === 'rollback' && verdict !== 'failed' ? 'halt' : policy
}

/** Whether what depends on a module may begin, by what its verdict decided. */
export function goesOn(decision: OnFailure | undefined): boolean {
  return decision === undefined || decision === 'continue' || decision === 'alert'
}
