import { isObject, type Json, type JsonObject } from '#lib/json.ts'

/** Whether labels fulfil a `LabelSelector`; an empty one, or none, selects everything. */
export function selectorMatches(selector: Json | undefined, labels: Json | undefined): boolean {
  if (!isObject(selector)) return true
  const has: JsonObject = isObject(labels) ? labels : {}
  const value = (key: string): Json | undefined => (Object.hasOwn(has, key) ? has[key] : undefined)
  const equal = Object.entries(isObject(selector.matchLabels) ? selector.matchLabels : {}).every(([key, wanted]) => value(key) === wanted)
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions.filter(isObject) : []
  return (
    equal &&
    expressions.every(({ key, operator, values }) => {
      const found = value(String(key))
      const among = Array.isArray(values) && found !== undefined && values.includes(found)
      switch (operator) {
        case 'In':
          return among
        case 'NotIn':
          return !among
        case 'Exists':
          return found !== undefined
        case 'DoesNotExist':
          return found === undefined
        default:
          return false
      }
    })
  )
}

/** Whether a selector selects everything. */
export function isEverything(selector: Json | undefined): boolean {
  if (!isObject(selector)) return true
  const some = (value: Json | undefined): boolean => typeof value === 'object' && value !== null && Object.keys(value).length > 0
  return !some(selector.matchLabels) && !some(selector.matchExpressions)
}
