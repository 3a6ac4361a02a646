import type { Cause, KubernetesObject, Schema } from '#playground/contract.ts'
import { invalidValue, noField } from './causes.ts'
import { hasRules, ruleErrors } from './cel-rules.ts'
import { customResourceSchema } from './custom-resource-schema.ts'
import { listTypeErrors } from './list-type-errors.ts'
import { metadataErrors } from './metadata-errors.ts'
import { openApiErrors } from './openapi-errors.ts'
import { scaleErrors } from './scale-errors.ts'
import { OutOfTime, withinTime } from './within-time.ts'

export type CustomResourceRules = {
  /** The definition's `openAPIV3Schema`, as it was given or completed. */
  readonly schema: Schema
  /** Left out, nothing is said about the namespace. */
  readonly namespaced?: boolean
  /** Where the version has a scale subresource: the path of the replicas. */
  readonly replicas?: readonly string[]
}

const blocking = new Set(['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'])
const unchecked = 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

/**
 * The causes of a 422 for a custom resource, defaulted and pruned; none where it is valid. With `live` it is an update, and what did not change
 * is let be. Rules in CEL run only on what has the right structure. Source: apiextensions-apiserver `registry/customresource/strategy.go`.
 */
export function validateCustomResource(object: KubernetesObject, live: KubernetesObject | undefined, rules: CustomResourceRules): Cause[] {
  const schema = customResourceSchema(rules.schema)
  const old = live === undefined ? undefined : { ...live, apiVersion: object.apiVersion }
  const errors = [...metadataErrors(object, live, { namespaced: rules.namespaced }), ...structureErrors(object, schema, old)]
  if (rules.replicas !== undefined) errors.push(...scaleErrors(object, rules.replicas))
  if (old === undefined || listTypeErrors(old, schema).length === 0) errors.push(...listTypeErrors(object, schema))
  if (!hasRules(rules.schema)) return errors
  if (errors.some(({ reason }) => blocking.has(reason))) return [...errors, invalidValue(noField, null, unchecked)]
  return [...errors, ...ruleErrors(object, rules.schema, old)]
}

/** Patterns come from whoever defined the kind, and may backtrack for ever. */
function structureErrors(object: KubernetesObject, schema: Schema, old: KubernetesObject | undefined): Cause[] {
  try {
    const check = () => openApiErrors(object, withoutMetadata(schema), '', old)
    return hasPatterns(schema) ? withinTime(500, check) : check()
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error
    return [invalidValue(noField, null, 'a pattern of the schema took too long')]
  }
}

const bare = new WeakMap<Schema, Schema>()

/** The root's metadata has rules of its own (`metadataErrors`). */
function withoutMetadata(schema: Schema): Schema {
  let rest = bare.get(schema)
  if (rest === undefined) {
    const { metadata: _, ...properties } = schema.properties ?? {}
    rest = { ...schema, properties }
    bare.set(schema, rest)
  }
  return rest
}

const patterned = new WeakMap<Schema, boolean>()

function hasPatterns(schema: Schema): boolean {
  let answer = patterned.get(schema)
  if (answer === undefined) {
    const combined = [schema.allOf, schema.anyOf, schema.oneOf].flatMap((each) => each ?? [])
    const below = [...Object.values(schema.properties ?? {}), ...combined, schema.not, schema.items, schema.additionalProperties]
    answer = schema.pattern !== undefined || below.some((each) => typeof each === 'object' && hasPatterns(each))
    patterned.set(schema, answer)
  }
  return answer
}
