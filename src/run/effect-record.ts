import { digestOf } from '#lib/digest.ts'
import type { Json } from '#lib/json.ts'
import { canonicalJson } from '#lib/json.ts'
import type { Effect, Held } from '#model/plan.ts'
import { parseKey } from '#model/resource.ts'
import type { EffectRecord, FieldRecord } from '#record/predicates.ts'
import type { EffectRow } from '#store/runs.ts'

/** A longer value (as JSON) stands in a record as its digest. */
const longest = 2_000
/** So many fields of one object stand in a record, before and after each. */
const mostFields = 400

/** An effect as a run's record tells it: what was meant, what was there before, what became of it, and what is declared since. */
export function effectRecord({ effect, outcome, state }: Pick<EffectRow, 'effect' | 'outcome' | 'state'>, held: Held | undefined): EffectRecord {
  const isSecret = hasSecrets(effect.key)
  const tellValue = isSecret ? () => ({}) : value
  return {
    key: effect.key,
    module: effect.module,
    action: effect.action,
    changes: isSecret ? effect.changes.map(({ to: _to, from: _from, ...change }) => change) : effect.changes,
    ...(effect.action === 'unchanged' ? {} : { before: before(effect, tellValue), after: after(held, tellValue) }),
    ...(effect.handedOverFrom === undefined ? {} : { handedOverFrom: effect.handedOverFrom }),
    ...(effect.force ? { force: true } : {}),
    outcome: outcome?.action ?? outcome?.state ?? (state === 'pending' ? 'skipped' : 'unknown'),
    ...(outcome?.uid === undefined ? {} : { uid: outcome.uid }),
    ...(outcome?.failure === undefined ? {} : { failure: outcome.failure }),
  }
}

/** What was there, as it was sealed; null where there was nothing, or nobody could know yet. */
function before({ sealed }: Effect, tellValue: TellValue): FieldRecord[] | null {
  if (sealed === undefined || sealed.uid === null) return null
  return sealed.paths.slice(0, mostFields).map(({ path, live, owners }) => ({ path, ...(live === undefined ? {} : tellValue(live)), owners: [...owners] }))
}

/** What is declared since, as the server answered; null where this run left nothing. */
function after(held: Held | undefined, tellValue: TellValue): FieldRecord[] | null {
  if (held === undefined) return null
  return held.fields.slice(0, mostFields).map(({ path, git, answered, mark }) => ({ path, ...tellValue(answered ?? git), ...(mark === undefined ? {} : { mark }) }))
}

type TellValue = (json: Json) => Pick<FieldRecord, 'value' | 'digest'>

function value(json: Json): ReturnType<TellValue> {
  return canonicalJson(json).length > longest ? { digest: digestOf(json) } : { value: json }
}

/** Of a Secret only the names of its fields are told: a keyed digest of a value is nobody's business either. */
function hasSecrets(key: string): boolean {
  const { group, kind } = parseKey(key)
  return group === '' && kind === 'Secret'
}
