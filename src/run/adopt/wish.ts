import { Failure } from '#lib/failure.ts'
import type { Finding } from '#model/finding.ts'
import { showKey } from '#model/resource.ts'
import type { Wish } from '#render/adopt/wish.ts'

/** What Git is to say, that a finding be none any more. Failures `adopt-unfit`, `adopt-secret`. */
export function wishOf(finding: Finding): Wish {
  const { object, cause, fields } = finding
  if (cause === 'missing') return { kind: 'gone', key: object }
  const subject = showKey(object)
  if (cause === 'recreated' || cause === 'orphan' || fields.length === 0)
    throw new Failure({ code: 'adopt-unfit', subject, message: cause === 'orphan' ? 'no module declares it' : 'what is there is another object: no field says how it differs', hint: cause === 'orphan' ? 'plumb import makes a module of what a namespace holds.' : 'Look at what is there, and decide: accept it, or deliver again.' })
  if (fields.some(({ secret }) => secret === true)) throw new Failure({ code: 'adopt-secret', subject, message: 'a Secret’s values are never written to Git', hint: 'Change the value where its reference leads.' })
  return { kind: 'fields', key: object, fields: fields.map(({ path, live }) => (live === null ? { path } : { path, live })) }
}
