import { expect, test } from 'vitest'
import { secretConformance } from '#secrets/conformance.ts'
import { keyedVersions } from '#secrets/version.ts'
import { envProvider } from './env.ts'

secretConformance('env', async () => {
  const variables: Record<string, string> = { EMPTY: '' }
  return {
    provider: envProvider(variables, keyedVersions(Buffer.from('key'))),
    found: ['TOKEN', undefined],
    store: async (value) => void (variables['TOKEN'] = value),
    failing: [
      [['MISSING', undefined], 'secret-not-found'], [['EMPTY', undefined], 'secret-not-found'], [['toString', undefined], 'secret-not-found'],
      [['__proto__', undefined], 'secret-not-found'], [['TOKEN', 'key'], 'secret-refused'], [['TO/KEN', undefined], 'secret-refused'],
    ],
  }
})

test('a version cannot be recomputed without the key of the installation', async () => {
  const read = async (key: string): Promise<string> => (await envProvider({ A: 'value' }, keyedVersions(Buffer.from(key))).read('A', undefined, new AbortController().signal)).version
  expect(await read('one')).not.toBe(await read('two'))
})
