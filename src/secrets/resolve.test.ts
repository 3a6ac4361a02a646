import { existsSync, readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Redactor } from '#lib/redact.ts'
import type { SecretProvider } from './provider.ts'
import { secretProviders } from './registry.ts'
import { remembering, resolveSecret } from './resolve.ts'
import { keyedVersions } from './version.ts'

const never = new AbortController().signal
const providers = secretProviders({ variables: { TOKEN: 'canary-77aa' }, folders: [], versionOf: keyedVersions(Buffer.from('key')) })

test('a reference is read by its provider', async () => {
  expect(await resolveSecret(providers)('env:TOKEN', never)).toMatchObject({ value: 'canary-77aa' })
})

test('an unknown provider is refused, with those that there are', async () => {
  await expect(resolveSecret(providers)('vault:kv/a#b', never)).rejects.toMatchObject({ code: 'secret-provider-unknown', hint: 'There are: env, file.' })
})

test.each(['', 'env', 'env:', ':x', 'ENV:x', 'env:a b', 'file:/a/../b', 'file:/a//b', 'file:/a/./b', 'file:..', 'vault:kv/%2e%2e/x', 'file:/a\\..\\b', 'env:a#'])(
  'what is no reference is refused: %j',
  async (reference) => {
    await expect(resolveSecret(providers)(reference, never)).rejects.toMatchObject({ code: 'secret-reference-invalid' })
  },
)

test('what a provider throws by accident does not carry its value on', async () => {
  const broken: SecretProvider = { id: 'broken', read: () => Promise.reject(new Error('could not decode canary-77aa')) }
  const error: unknown = await resolveSecret([broken])('broken:x', never).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'secret-unavailable', subject: 'broken:x' })
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary')
})

test('a redactor is told the values that are given out', async () => {
  const redactor = new Redactor()
  await remembering(resolveSecret(providers), redactor)('env:TOKEN', never)
  expect(redactor.redact('it was canary-77aa!')).toBe('it was [secret env:TOKEN]!')
})

test('every folder is a provider of the registry, with a README', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  expect(folders.sort()).toEqual(providers.map(({ id }) => id).sort())
  expect(folders.filter((folder) => !existsSync(`${import.meta.dirname}/${folder}/README.md`))).toEqual([])
})
