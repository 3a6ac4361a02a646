import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandSigner } from './command-signer.ts'
import { keyringOf, newKeyPair, publicKeyOf, signersOf } from './dsse.ts'

const keys = newKeyPair()
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'plumbline-signer-'))
  writeFileSync(join(dir, 'key.pem'), keys.privatePem)
  // What an operator's program would do with a hardware module: bytes in, a signature out.
  writeFileSync(join(dir, 'sign.mjs'), `import { readFileSync } from 'node:fs'
import { sign } from 'node:crypto'
const [key, how] = process.argv.slice(2)
if (how === 'fail') { console.error('no such slot'); process.exit(3) }
if (how === 'hang') setInterval(() => {}, 1000)
else if (how === 'babble') console.log('x'.repeat(100_000))
else console.log(sign(null, how === 'other' ? Buffer.from('other bytes') : readFileSync(0), readFileSync(key)).toString('base64'))`)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const signing = (how: string, timeoutMs = 10_000) =>
  commandSigner({ argv: [process.execPath, join(dir, 'sign.mjs'), join(dir, 'key.pem'), how], publicKey: keys.publicPem, timeoutMs, env: {} }).sign(Buffer.from('a checkpoint'))

test('a program signs, and what it wrote is an envelope as any other', async () => {
  const envelope = await signing('well')
  expect(signersOf(envelope, keyringOf([publicKeyOf(keys.publicPem)])).size).toBe(1)
  expect(Buffer.from(envelope.payload, 'base64').toString()).toBe('a checkpoint')
})

test.each([
  ['fails', 'fail', 'ended with 3: no such slot', 10_000],
  ['does not end', 'hang', 'did not end within 300 ms', 300],
  ['says too much', 'babble', 'wrote more than', 10_000],
  ['signs something else', 'other', 'is no signature by its key', 10_000],
])('a program that %s is named, with what it said', async (_, how, message, timeoutMs) => {
  await expect(signing(how, timeoutMs)).rejects.toMatchObject({ code: 'record-signer-failed', retry: 'later', message: expect.stringContaining(message) })
})

test('a program that is not there is named', async () => {
  const signer = commandSigner({ argv: [join(dir, 'missing')], publicKey: keys.publicPem, timeoutMs: 1_000, env: {} })
  await expect(signer.sign(Buffer.from('a checkpoint'))).rejects.toMatchObject({ code: 'record-signer-failed', subject: join(dir, 'missing') })
})
