import { equalJson } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { readPath } from '#model/field-path.ts'
import type { FieldPath } from '#model/plan.ts'
import type { ObjectKey } from '#model/resource.ts'
import { brought } from './compare.ts'
import type { Bodies } from './compare.ts'
import { editsOf } from './edits.ts'
import { Prover } from './prove.ts'
import { soughtOf } from './sought.ts'
import { textsOf } from './texts.ts'
import type { Adoption } from './wish.ts'
import { written } from './written.ts'

/** Each try is a rendering, and a finding waits for no more of them: what is not found is told by where the object is declared. */
const mostTries = 6

/** A field and the value that it has now: undefined where it is gone. */
export type Asked = { readonly key: ObjectKey; readonly path: FieldPath; readonly live: Json | undefined }

/**
 * Where a field is decided that several files of a kustomization may write (bases, patches, `images`, `replicas`, generators): the one whose edit changes the field
 * in the rendering. Undefined where no kustomization was read, or none of the likeliest does.
 */
export async function decidingPlace(place: Omit<Adoption, 'wish' | 'others'>, { key, path, live }: Asked): Promise<{ readonly file: string; readonly line: number; readonly column: number } | undefined> {
  const { reader } = place
  const alone: Adoption = { ...place, others: [], wish: { kind: 'fields', key, fields: [] } }
  const prover = new Prover(alone)
  const before = await prover.asIs(place.place)
  const body = 'bodies' in before ? before.bodies.get(key) : undefined
  if (!('bodies' in before) || body === undefined) return undefined
  const nobody = async (): Promise<number> => 0
  const texts = await textsOf(reader, before.read, nobody)
  if (!texts.some(({ isKustomization }) => isKustomization)) return undefined
  const field = { path, ...(live === undefined ? {} : { live }) }
  const candidates = (await written(soughtOf(key, body, field), texts, reader, nobody)).toSorted((a, b) => a.rank - b.rank)
  for (const { changes } of candidates.slice(0, mostTries)) {
    const after = await prover.render(place.place, changes)
    const decides = 'bodies' in after && (changesField(before.bodies, after.bodies, key, path) || (brought(before.bodies, after.bodies, key, [field])?.fields.length ?? 0) > 0)
    const [edit] = decides ? await editsOf(reader, changes) : []
    if (edit !== undefined) return { file: edit.file, line: edit.line, column: edit.column }
  }
  return undefined
}

function changesField(before: Bodies, after: Bodies, key: ObjectKey, path: FieldPath): boolean {
  const [was, is] = [before.get(key), after.get(key)]
  return was !== undefined && is !== undefined && !equalJson(readPath(was, path) ?? null, readPath(is, path) ?? null)
}
