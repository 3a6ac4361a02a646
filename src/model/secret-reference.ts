import { Failure } from '#lib/failure.ts'
import { matchesGlob } from './glob.ts'

export type SecretReference = { readonly provider: string; readonly path: string; readonly key: string | undefined }

/**
 * Reads `<provider>:<path>#<key>`. A path with empty, `.` or `..` parts is refused here, for all providers: it would be one thing for the globs
 * that allow it and another for the provider that reads it. Failure `secret-reference-invalid`.
 */
export function parseSecretReference(reference: string): SecretReference {
  const match = /^([a-z][a-z0-9-]*):([^#\s]+)(?:#(\S+))?$/.exec(reference)
  const [, provider = '', path = '', key] = match ?? []
  // oxlint-disable-next-line no-control-regex
  const clean = reference.length <= 1_000 && !/[\u0000-\u001f\u007f\\%]/.test(path)
  if (match !== null && clean && path.replace(/^\//, '').split('/').every((part) => part !== '' && part !== '.' && part !== '..')) return { provider, path, key }
  throw new Failure({
    code: 'secret-reference-invalid',
    subject: reference.slice(0, 200),
    message: `${JSON.stringify(reference.slice(0, 200))} is not a reference to a secret`,
    hint: 'Write <provider>:<path>#<key>, such as env:GIT_TOKEN or file:/run/secrets/git#token.',
  })
}

/** Whether one of the globs of a repository's limits covers a reference. What is no reference is not allowed. */
export function secretAllowed(reference: string, globs: readonly string[]): boolean {
  try {
    parseSecretReference(reference)
  } catch {
    return false
  }
  return globs.some((glob) => matchesGlob(glob, reference))
}
