import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { secretConformance } from '#secrets/conformance.ts'
import { keyedVersions } from '#secrets/version.ts'
import { fileProvider } from './file.ts'

const root = mkdtempSync(join(tmpdir(), 'plumbline-secrets-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const [folder, other, beside] = [join(root, 'secrets'), join(root, 'other'), join(root, 'secrets-2')]
for (const path of [folder, other, beside]) mkdirSync(path)
mkdirSync(join(folder, 'real'))
symlinkSync(other, join(folder, 'out'))
symlinkSync(join(other, 'token'), join(folder, 'link-out'))
symlinkSync(join(folder, 'real'), join(folder, 'link-in'))
symlinkSync(join(folder, 'loop'), join(folder, 'loop'))
execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'pipe')])
const never = new AbortController().signal
const provider = fileProvider({ folders: [folder], versionOf: keyedVersions(Buffer.from('key')), maxBytes: 10_000 })

const failing = [
  [[join(folder, 'missing'), undefined], 'secret-not-found'],
  [[join(folder, 'token', 'below'), undefined], 'secret-not-found'],
  [[join(folder, 'all.json'), 'missing'], 'secret-not-found'],
  [[join(folder, 'all.json'), 'toString'], 'secret-not-found'],
  [[join(folder, 'lines'), 'missing'], 'secret-not-found'],
  [[join(folder, 'all.json'), 'object'], 'secret-refused'],
  [[join(folder, 'broken.json'), 'key'], 'secret-refused'],
  [[join(folder, 'large'), undefined], 'secret-refused'],
  [[join(folder, 'pipe'), undefined], 'secret-refused'],
  [[join(folder, 'real'), undefined], 'secret-refused'],
  [[join(folder, 'link-out'), undefined], 'secret-refused'],
  [[join(folder, 'out', 'token'), undefined], 'secret-refused'],
  [[`${folder}/../other/token`, undefined], 'secret-refused'],
  [[join(beside, 'token'), undefined], 'secret-refused'],
  [[join(other, 'token'), undefined], 'secret-refused'],
  [[join(other, 'missing'), undefined], 'secret-refused'],
  [['secrets/token', undefined], 'secret-refused'],
  [[folder, undefined], 'secret-refused'],
  [[join(folder, 'loop'), undefined], 'secret-unavailable'],
] as const

for (const [name, file, key] of [['a whole file', 'token', undefined], ['a key of JSON', 'all.json', 'key']] as const) {
  secretConformance(`file, with ${name}`, async () => ({
    provider,
    found: [join(folder, file), key],
    store: async (value) => {
      for (const place of [join(folder, 'token'), join(folder, 'real/token'), join(other, 'token'), join(beside, 'token')]) writeFileSync(place, `${value}\n`)
      writeFileSync(join(folder, 'all.json'), JSON.stringify({ key: value, object: { key: value } }))
      writeFileSync(join(folder, 'broken.json'), `{"key": "${value}`)
      writeFileSync(join(folder, 'lines'), `key=${value}\n`)
      writeFileSync(join(folder, 'large'), `${value}${'x'.repeat(10_000)}`)
    },
    failing,
  }))
}

test('a key of lines, as shells and dotenv write them', async () => {
  writeFileSync(join(folder, 'dotenv'), '# key=comment\nexport A="one two"\r\nB = three=3\nC=\'4\'\nD=\n')
  const value = async (key: string): Promise<string> => (await provider.read(join(folder, 'dotenv'), key, never)).value
  expect([await value('A'), await value('B'), await value('C')]).toEqual(['one two', 'three=3', '4'])
  await expect(value('D')).rejects.toMatchObject({ code: 'secret-not-found' })
})

test('a link that stays inside, as those of a mounted Kubernetes Secret do', async () => {
  writeFileSync(join(folder, 'real/token'), 'inside')
  expect((await provider.read(join(folder, 'link-in/token'), undefined, never)).value).toBe('inside')
})

test('with no folder, nothing is read', async () => {
  const closed = fileProvider({ folders: [], versionOf: keyedVersions(Buffer.from('key')) })
  await expect(closed.read(join(folder, 'real/token'), undefined, never)).rejects.toMatchObject({ code: 'secret-refused' })
})
