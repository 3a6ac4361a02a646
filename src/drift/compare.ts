import type { Json } from '#lib/json.ts'
import { answeredOf, factsOf, plumbline, sightOf, type FieldFacts, type Present, type Seen } from '#model/field-facts.ts'
import type { DeclaredField, FieldPath, Held, Owner } from '#model/plan.ts'
import { parseKey } from '#model/resource.ts'
import { itemInstead } from './instead.ts'

/** A declared field whose live value is not what the server answered when we declared it. `owners`: who else owns it now. `instead`: as a finding’s field has it. */
export type Drifted = { readonly path: FieldPath; readonly declared: Json; readonly live: Json; readonly gone: boolean; readonly ours: boolean; readonly owners: readonly Owner[]; readonly instead?: FieldPath }

/** A declared field that a controller rightly moves. */
export type Delegated = { readonly path: FieldPath; readonly declared: Json; readonly live: Json; readonly to: string }

/**
 * Whether a field drifted. What is as Git says, or as the server answered, did not, whoever owns it; nor did what another rightly moves that is there now.
 * All else did, also what was yielded to an autoscaler that is gone. (A plan asks the same facts: of a field that Git did not change it says `held` or leaves as drifted exactly
 * these, and also `held` what is only written in another form; `judge.ts`, row 8.)
 */
export function isDrifted({ asGit, asAnswered, others, delegated }: FieldFacts): boolean {
  return !asGit && !asAnswered && !(others && delegated)
}

/** Every declared field of an object that is there, held against what is live. */
export function compareDeclared(held: Pick<Held, 'fields'>, live: Present): { drifted: readonly Drifted[]; delegated: readonly Delegated[] } {
  const sight = sightOf(live, plumbline)
  const drifted: Drifted[] = []
  const delegated: Delegated[] = []
  for (const field of held.fields) {
    const seen = sight.seen(field.path)
    const facts = factsOf(sight, field.path, field.git, seen, field)
    if (isDrifted(facts)) drifted.push(driftedAs(field, seen, held.fields, live))
    else if (facts.others && facts.delegated) delegated.push({ path: field.path, declared: field.git, live: seen.live ?? null, to: seen.by ?? '' })
  }
  return { drifted, delegated }
}

function driftedAs(field: DeclaredField, seen: Seen, declared: Held['fields'], live: Present): Drifted {
  const instead = seen.present ? undefined : itemInstead(field.path, declared, live.body)
  return { path: field.path, declared: answeredOf(field), live: seen.live ?? null, gone: !seen.present, ours: seen.ours, owners: seen.owners, ...(instead === undefined ? {} : { instead }) }
}

/** Whether a field holds a Secret's value: such a value is never told, nor its digest. */
export function isSecretField(key: string, path: FieldPath): boolean {
  const { group, kind } = parseKey(key)
  return group === '' && kind === 'Secret' && (/^(?:data|stringData)(?:[.[]|$)/.test(path) || path.includes('kubectl.kubernetes.io/last-applied-configuration'))
}
