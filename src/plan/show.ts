import type { Json } from '#lib/json.ts'
import { effectsOf } from '#model/effects.ts'
import type { Effect, FieldChange, Plan } from '#model/plan.ts'
import { parseKey, showKey } from '#model/resource.ts'
import { isEmpty, summary } from './plan.ts'

const signs = { created: '+', configured: '~', unchanged: '=', deleted: '-', skipped: '·', unknown: '?' } as const

/**
 * A plan as a person reads it: a line for each module, object and field; then one that sums up. What is unchanged and has nothing to say is left out.
 * The values of Secrets are never shown, nor their digests. Control characters in values and names are escaped.
 */
export function showPlan(plan: Plan): string[] {
  const lines: string[] = []
  for (const step of plan.steps) {
    const shown = step.waves.flat().flatMap(showEffect)
    if (shown.length > 0) lines.push(`${step.module} (${step.driver}, ${step.target})`, ...shown.map((line) => `  ${line}`))
  }
  for (const failure of plan.unknown) lines.push(`? ${failure.subject}: ${failure.message}`)
  const counts = Object.entries(summary(plan)).filter(([, count]) => count > 0).map(([action, count]) => `${count} ${action}`)
  lines.push(isEmpty(plan) ? `Nothing to do${effectsOf(plan).length === 0 ? '' : ` (${counts.join(', ')})`}.` : `${counts.join(', ')}. Plan ${plan.digest.slice(0, 19)}.`)
  return lines.map((line) => line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`))
}

/** One object: its line, then its fields and what stands in its way. */
export function showEffect(effect: Effect): string[] {
  if (effect.action === 'unchanged' && effect.changes.length === 0 && effect.why === undefined) return []
  const notes = [
    effect.why,
    effect.deferred === undefined ? undefined : `decided later: ${effect.deferred}`,
    effect.action === 'deleted' && effect.holdsState ? 'it holds data' : undefined,
    effect.contents === undefined ? undefined : `contains ${effect.contents} objects`,
  ].filter((note) => note !== undefined)
  const lines = [`${signs[effect.action]} ${showKey(effect.key)} ${effect.action}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`]
  // The fields of a new object are its manifest: who wants to see them has it in Git.
  if (effect.action !== 'created') for (const change of effect.changes) lines.push(`    ${showChange(change, isSecret(effect) ? hidden : shownValue)}`)
  if (effect.refused !== undefined) lines.push(`    ! ${effect.refused.message}`, ...(effect.refused.hint === undefined ? [] : [`      ${effect.refused.hint}`]))
  return lines
}

function showChange({ path, state, from, to, owner }: FieldChange, show: (value: Json | undefined) => string): string {
  switch (state) {
    case 'added':
      return `+ ${path}: ${show(to)}${owner === undefined ? '' : `, shared with ${owner}`}`
    case 'changed':
      return `~ ${path}: ${show(from)} -> ${show(to)}${owner === undefined ? '' : `, shared with ${owner}`}`
    case 'removed':
      return owner === undefined ? `- ${path}: ${show(from)}` : `- ${path}: no longer in Git; stays ${show(from)}, owned by ${owner}`
    case 'taken':
      return `! ${path}: ${show(from)} -> ${show(to)}, taken${owner === undefined ? '' : ` from ${owner}`}`
    case 'contested':
      return `! ${path}: ${show(from)} -> ${show(to)}, contested: owned by ${owner ?? 'another'}`
    case 'yielded':
      return `· ${path}: ${show(from)}, yielded to ${owner ?? 'another'} (Git says ${show(to)})`
    case 'held':
      return `· ${path}: ${show(from)}, held: ${owner === undefined ? 'changed by somebody' : `owned by ${owner}`} (Git says ${show(to)})`
  }
}

function isSecret({ key }: Effect): boolean {
  const { group, kind } = parseKey(key)
  return group === '' && kind === 'Secret'
}

function shownValue(value: Json | undefined): string {
  return value === undefined ? '(none)' : short(value)
}

function hidden(value: Json | undefined): string {
  return value === undefined ? '(none)' : '(secret)'
}

function short(value: Json): string {
  const text = JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`
}
