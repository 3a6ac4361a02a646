import type { FieldFacts } from '#model/field-facts.ts'
import type { FieldChange } from '#model/plan.ts'

/**
 * What a plan does with a field. `send`: it is part of the body that is applied. `write`: it is a reason to apply at all. `state`: how it is shown;
 * nothing where there is nothing to show. `drifted`: to be sent only if the object is applied for another reason, and then shown as `changed`.
 */
export type Judgement = { readonly send: boolean; readonly write: boolean; readonly state?: FieldChange['state'] | 'drifted' }

/**
 * The rows are read from the top; the first that fits decides.
 *
 * | # | Git     | live value                  | owned by                | delegated | then                                                            |
 * |---|---------|-----------------------------|-------------------------|-----------|-----------------------------------------------------------------|
 * | 1 | any     | any                         | another (or co-owned)   | yes       | `yielded`: left out; its owner keeps it                         |
 * | 2 | added   | other than Git's            | another                 |           | `contested`                                                     |
 * | 3 | added   | any                         | any                     |           | `added` (where the value is there already: co-owned from now)   |
 * | 4 | changed | other than Git's            | another (or co-owned)   |           | `contested`: the server refuses it without force                |
 * | 5 | changed | any                         | any                     |           | `changed`; equal to Git's already: co-owned, no force           |
 * | 6 | same    | Git's                       | any                     |           | nothing; sent if the object is applied (ours again, or co-owned)|
 * | 7 | same    | as answered, not Git's text | us alone, or nobody     |           | nothing; sent (the server writes it in another form, a default) |
 * | 8 | same    | as answered, not Git's text | another (or co-owned)   |           | `held`: sent, it would be a conflict over a mere form           |
 * | 9 | same    | moved                       | us alone                |           | `drifted`: never left out (that would delete it), no reason to write; sent and shown as `changed` if the object is applied |
 * |10 | same    | moved, or gone              | another, co-owned, nobody |         | `held`: left out; nothing is deleted, since we are not its only owner |
 *
 * Co-owned and changed by Git (row 4) is contested although we own it too: the other manager declared that very value, and the server says 409.
 * What was yielded and is delegated no more (its autoscaler is gone) is `held` (row 10), or row 4 where Git changed it too: nothing is reset because an
 * autoscaler was not to be seen for a moment, and a person decides who is right.
 */
export function judge(facts: FieldFacts): Judgement {
  const { git, asGit, asAnswered, ours, others } = facts
  if (others && facts.delegated) return { send: false, write: false, state: 'yielded' }
  if (git !== 'same') return { send: true, write: true, state: others && !asGit ? 'contested' : git }
  if (asGit) return { send: true, write: false }
  if (asAnswered) return others ? { send: false, write: false, state: 'held' } : { send: true, write: false }
  if (ours && !others) return { send: true, write: false, state: 'drifted' }
  return { send: false, write: false, state: 'held' }
}

/**
 * A field that Git no longer declares. Ours alone: it goes, or back to its default. Co-owned: we give it up and the other keeps it. Another's: nothing
 * has to be sent, but it is said that it stays. Nobody's, or gone: nothing.
 */
export function judgeRemoved(facts: { readonly ours: boolean; readonly others: boolean; readonly present: boolean }): Judgement {
  if (facts.ours) return { send: false, write: true, state: 'removed' }
  return facts.others && facts.present ? { send: false, write: false, state: 'removed' } : { send: false, write: false }
}

/** A field of an object that is not ours yet, and that the module takes over. */
export function judgeTaken(facts: { readonly asGit: boolean; readonly present: boolean; readonly others: boolean; readonly delegated: boolean }): Judgement {
  if (facts.others && facts.delegated) return { send: false, write: false, state: 'yielded' }
  if (facts.others || (facts.present && !facts.asGit)) return { send: true, write: true, state: 'taken' }
  return facts.asGit ? { send: true, write: true } : { send: true, write: true, state: 'added' }
}
