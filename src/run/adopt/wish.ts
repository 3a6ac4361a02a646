import { Failure } from '#lib/failure.ts'
import type { Json } from '#lib/json.ts'
import type { Finding, FindingField } from '#model/finding.ts'
import { moduleLabelPath } from '#model/module-label.ts'
import type { FieldPath, Held } from '#model/plan.ts'
import { showKey } from '#model/resource.ts'
import { heldAt } from '#store/inventory.ts'
import type { Sql } from '#store/sql.ts'
import type { Wish } from '#render/adopt/wish.ts'

/**
 * What Git is to say, that a finding be none any more. `held`: the inventory's row, where what Git said then is to hold still. Failures `adopt-unfit`,
 * `adopt-secret`.
 */
export function wishOf(finding: Finding, held?: Held): Wish {
  const { object, cause } = finding
  const fields = adoptableFields(finding)
  if (cause === 'missing') return { kind: 'gone', key: object }
  const subject = showKey(object)
  if (cause === 'recreated' || cause === 'orphan' || finding.fields.length === 0)
    throw new Failure({ code: 'adopt-unfit', subject, message: cause === 'orphan' ? 'no module declares it' : 'what is there is another object: no field says how it differs', hint: cause === 'orphan' ? 'plumb import makes a module of what a namespace holds.' : 'Look at what is there, and decide: accept it, or deliver again.' })
  if (fields.length === 0) throw new Failure({ code: 'adopt-unfit', subject, message: 'Plumbline puts that label on by itself, and Git says nothing of it', hint: `Put it back: plumb revert ${finding.id}` })
  const other = fields.find(({ instead }) => instead !== undefined)
  if (other !== undefined) throw new Failure({ code: 'adopt-unfit', subject, message: `${other.path} is gone, and ${other.instead} is there instead, which Git does not declare`, hint: 'Change its key in Git by hand: an edit that takes the one out would not put the other in.' })
  if (fields.some(({ secret }) => secret === true)) throw new Failure({ code: 'adopt-secret', subject, message: 'a Secret’s values are never written to Git', hint: 'Change the value where its reference leads.' })
  return { kind: 'fields', key: object, fields: fields.map(({ path, live }) => ({ path, ...(live === null ? {} : { live }), ...saidOf(held, path) })) }
}

/** Those of which Git may say something. */
export function adoptableFields({ fields }: Pick<Finding, 'fields'>): FindingField[] {
  return fields.filter(({ path }) => path !== moduleLabelPath)
}

export async function heldOf(sql: Sql, { place, object }: Finding): Promise<Held | undefined> {
  return (await heldAt(sql, place, [object]))[0]
}

function saidOf(held: Held | undefined, path: FieldPath): { readonly was?: Json } {
  const field = held?.fields.find((one) => one.path === path)
  return field === undefined ? {} : { was: field.git }
}
