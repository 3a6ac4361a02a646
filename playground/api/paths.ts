import { isObject, type Json } from '#lib/json.ts'

/** The value at a plain dotted path (`.spec.replicas` or `spec.replicas`); `undefined` where something on the way is missing. */
export function valueAt(object: Json | undefined, path: string): Json | undefined {
  let value: Json | undefined = object
  for (const name of path.split('.')) {
    if (name === '') continue
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/** Sets a value at a plain dotted path, making the objects on the way. */
export function setAt(object: { [key: string]: Json }, path: string, value: Json): void {
  const names = path.split('.').filter((name) => name !== '')
  let at = object
  for (const name of names.slice(0, -1)) {
    const next = at[name]
    if (isObject(next)) at = next
    else {
      const made: { [key: string]: Json } = {}
      at[name] = made
      at = made
    }
  }
  at[names.at(-1) as string] = value
}
