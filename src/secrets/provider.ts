/** A secret's value, for one call. `version` may be recorded; `value` never is. */
export type SecretValue = { readonly value: string; readonly version: string }

/**
 * Where secrets are. One folder, one plain object, in `registry.ts`. Failures: `secret-not-found`, `secret-refused`, `secret-unavailable`;
 * none of them holds a value.
 */
export type SecretProvider = {
  /** The part of a reference before the colon. */
  readonly id: string
  /** `path` and `key` of `<id>:<path>#<key>`. */
  read(path: string, key: string | undefined, signal: AbortSignal): Promise<SecretValue>
}

/** Resolves `<provider>:<path>#<key>`; what `main.ts` hands to those who need a value for one call. */
export type ResolveSecret = (reference: string, signal: AbortSignal) => Promise<SecretValue>
