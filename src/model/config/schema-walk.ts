import type { z } from 'zod'

type Def = {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly options?: readonly z.ZodType[]
  readonly element?: z.ZodType
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly out?: z.ZodType
  readonly keyType?: z.ZodType
  readonly valueType?: z.ZodType
  readonly entries?: Readonly<Record<string, string>>
}

/** The schemas that may stand at a path, as written (before transforms): more than one where unions branch. */
function schemasAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType[] {
  const here = plain(schema)
  const [first, ...rest] = path
  if (first === undefined) return here
  return here.flatMap((candidate) => {
    const def = defOf(candidate)
    const child = def.type === 'object' ? def.shape?.[String(first)] : def.type === 'record' ? def.valueType : def.element
    return child === undefined ? [] : schemasAt(child, rest)
  })
}

/** The field names that an object at this path may have. Records with free keys have none. */
export function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const names = schemasAt(schema, path).flatMap((candidate) => {
    const def = defOf(candidate)
    if (def.type === 'object') return Object.keys(def.shape ?? {})
    const keys = def.keyType === undefined ? undefined : defOf(def.keyType)
    return keys?.type === 'enum' ? Object.values(keys.entries ?? {}) : []
  })
  return [...new Set(names)]
}

/** Whether a secret reference belongs at this path, or below it: what stands there in its place may be the secret itself, and is not shown. */
export function isNearSecret(schema: z.ZodType, path: readonly PropertyKey[]): boolean {
  return path.at(-1) === 'secretRef' || schemasAt(schema, path).some((candidate) => holdsSecret(candidate, 4))
}

function holdsSecret(schema: z.ZodType, depth: number): boolean {
  if (depth === 0) return false
  return plain(schema).some((candidate) => {
    const def = defOf(candidate)
    if (def.shape?.['secretRef'] !== undefined) return true
    const inside = [...Object.values(def.shape ?? {}), ...(def.valueType === undefined ? [] : [def.valueType]), ...(def.element === undefined ? [] : [def.element])]
    return inside.some((child) => holdsSecret(child, depth - 1))
  })
}

/** Unwraps optional, default, pipe and union, down to what is really written. */
function plain(schema: z.ZodType): z.ZodType[] {
  const def = defOf(schema)
  if (def.type === 'union') return (def.options ?? []).flatMap(plain)
  if (def.innerType !== undefined) return plain(def.innerType)
  if (def.type === 'pipe' && def.in !== undefined) {
    // What is made ready first (a preprocess) says nothing of what is written: what comes after it does.
    const { in: first, out = first } = def
    return plain(defOf(first).type === 'transform' ? out : first)
  }
  return [schema]
}

function defOf(schema: z.ZodType): Def {
  return schema._zod.def as unknown as Def
}
