import type { Cause, KubernetesObject, Schema } from '#playground/contract.ts'

/** What the server asks of schemas. Each works on a plain object that it may change where it says so. */
export type Schemas = {
  builtIn(group: string, version: string, kind: string): Schema | undefined
  /** Removes, in place, what the schema does not declare; returns the paths of what was removed. */
  prune(object: KubernetesObject, schema: Schema): string[]
  /** Fills in defaults, in place. */
  applyDefaults(object: KubernetesObject, schema: Schema): void
  /** What does not hold. With `old`, what was already so is let pass, and transition rules are checked. */
  validate(object: KubernetesObject, schema: Schema, old: KubernetesObject | undefined): Cause[]
}

/** Takes everything as it is. */
export const noSchemas: Schemas = {
  builtIn: () => undefined,
  prune: () => [],
  applyDefaults: () => {},
  validate: () => [],
}
