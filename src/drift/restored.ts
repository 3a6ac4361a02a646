import { answeredOf, heldFields, isOurs, plumbline, sameValue } from '#model/field-facts.ts'
import { isWithin, readPath } from '#model/field-path.ts'
import { ownershipOf } from '#model/field-set.ts'
import type { Finding, FindingCause, FindingField } from '#model/finding.ts'
import type { DeclaredField, Held, Observation } from '#model/plan.ts'
import { compareDeclared } from './compare.ts'
import { writerNames } from './writers.ts'

/**
 * Why a finding is over. `by`: it is as declared, and who set it again; null where nobody can tell. `git`: nobody moved anything, and Git declares by now
 * what is there, or declares it no more; `run`: the run that delivered that, where the inventory says. `leftTo`: a controller that rightly moves it by now.
 * `as`: nothing is as declared, and it is told as what it is by now: by another `finding`, or by none where the policy ignores that; `by`: who made it so.
 */
export type Restored =
  | { readonly by: string | null }
  | { readonly git: 'declares' | 'no more'; readonly run: string | null }
  | { readonly leftTo: string }
  | { readonly as: FindingCause; readonly finding: string | null; readonly by: string | null }

export type Seen = {
  readonly held: Held | undefined
  readonly observation: Extract<Observation, { state: 'absent' | 'present' }>
  /** Of the object: those that were known. */
  readonly findings: readonly Finding[]
}

/** Of a finding whose drift is no more. */
export function restoredOf(finding: Finding, { held, observation, findings }: Seen): Exclude<Restored, { as: FindingCause }> {
  const { cause, fields } = finding
  if (cause === 'orphan' || cause === 'recreated') return { by: restorer(observation, findings) }
  if (held === undefined) return { git: 'no more', run: null }
  const delegated = observation.state === 'absent' ? [] : compareDeclared(held, observation).delegated
  const left = delegated.find(({ path }) => fields.some((field) => field.path === path))
  if (left !== undefined) return { leftTo: left.to }
  const row = heldFields(held.fields)
  const words = fields.filter(({ declared, live }) => !sameValue(declared, live)).map((field) => wordOfGit(field, held, row(field.path), observation))
  if (words.length === 0 || words.includes(undefined)) return { by: restorer(observation, findings) }
  return { git: words.every((word) => word === 'no more') ? 'no more' : 'declares', run: held.run }
}

/** A value that is the one that was found, and is declared otherwise than it was then: it is Git that moved. */
function wordOfGit({ path, declared, live }: FindingField, held: Held, row: DeclaredField | undefined, observation: Seen['observation']): 'declares' | 'no more' | undefined {
  if (observation.state === 'absent' || !sameValue(readPath(observation.body, path), live)) return undefined
  if (row !== undefined) return sameValue(answeredOf(row), declared) ? undefined : 'declares'
  return live === null || held.fields.some((field) => isWithin(field.path, path)) ? 'declares' : 'no more'
}

/** Who owns now what had drifted. */
function restorer(observation: Seen['observation'], before: readonly Finding[]): string | null {
  if (observation.state === 'absent') return null
  const ownership = ownershipOf(observation)
  const owners = before.filter(({ state }) => state !== 'resolved').flatMap(({ fields }) => fields.flatMap(({ path }) => ownership.of(path)))
  const others = owners.filter((owner) => !isOurs(owner, plumbline))
  return others.length > 0 ? writerNames(others) : owners.length > 0 ? plumbline : null
}
