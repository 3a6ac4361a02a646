import { Failure } from '#lib/failure.ts'
import type { SecretProvider } from '#secrets/provider.ts'
import type { VersionOf } from '#secrets/version.ts'

/** `env:NAME`, from a map that `main.ts` hands in. A variable that is empty counts as not set. */
export function envProvider(variables: Readonly<Record<string, string | undefined>>, versionOf: VersionOf): SecretProvider {
  return {
    id: 'env',
    read: async (path, key, signal) => {
      signal.throwIfAborted()
      const subject = `env:${path}`
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(path) || key !== undefined) {
        throw new Failure({ code: 'secret-refused', subject, message: `${subject} is not the name of an environment variable`, hint: 'Write env:NAME, without a key.' })
      }
      const value = Object.hasOwn(variables, path) ? variables[path] : undefined
      if (value !== undefined && value !== '') return { value, version: versionOf(value) }
      throw new Failure({ code: 'secret-not-found', subject, message: `the environment variable ${path} is not set`, hint: 'Set it for the process that runs Plumbline.', retry: 'later' })
    },
  }
}
