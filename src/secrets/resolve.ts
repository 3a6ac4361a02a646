import { Failure } from '#lib/failure.ts'
import type { Redactor } from '#lib/redact.ts'
import { parseSecretReference } from '#model/secret-reference.ts'
import type { ResolveSecret, SecretProvider } from './provider.ts'

/**
 * Resolves references by their providers. Failures: `secret-reference-invalid`, `secret-provider-unknown`, and those of the provider. What else a
 * provider throws becomes `secret-unavailable` without its text, which may hold anything.
 */
export function resolveSecret(providers: readonly SecretProvider[]): ResolveSecret {
  return async (reference, signal) => {
    const { provider: id, path, key } = parseSecretReference(reference)
    const provider = providers.find((one) => one.id === id)
    if (provider === undefined) {
      throw new Failure({
        code: 'secret-provider-unknown',
        subject: reference,
        message: `there is no provider of secrets named ${id}`,
        hint: `There are: ${providers.map((one) => one.id).join(', ')}.`,
      })
    }
    try {
      return await provider.read(path, key, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Failure) throw error
      throw new Failure({ code: 'secret-unavailable', subject: reference, message: `the provider ${id} failed`, hint: 'This is a defect in the provider.', retry: 'later' })
    }
  }
}

/** The same, telling a redactor every value that it gives out, by its reference: for the edges of the sinks. */
export function remembering(resolve: ResolveSecret, redactor: Redactor): ResolveSecret {
  return async (reference, signal) => {
    const secret = await resolve(reference, signal)
    redactor.add(secret.value, reference)
    return secret
  }
}
