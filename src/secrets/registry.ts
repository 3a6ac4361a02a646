import { envProvider } from './env/env.ts'
import type { FileSecrets } from './file/file.ts'
import { fileProvider } from './file/file.ts'
import type { SecretProvider } from './provider.ts'
import type { VersionOf } from './version.ts'

/** What the providers are made of; `main.ts` alone knows it. */
export type SecretSources = {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly folders: FileSecrets['folders']
  readonly versionOf: VersionOf
}

/** Every provider that there is. A test holds it against the folders. */
export function secretProviders({ variables, folders, versionOf }: SecretSources): readonly SecretProvider[] {
  return [envProvider(variables, versionOf), fileProvider({ folders, versionOf })]
}
