import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newKeyPair, signerOf } from '#record/dsse.ts'
import { openKeys } from './keys.ts'

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'plumbline-keys-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a key is made once, kept for its owner alone, and its public half lies beside it', async () => {
  const { record } = await openKeys(dir)
  expect((await openKeys(dir)).record.signer.keyId).toBe(record.signer.keyId)
  expect(statSync(join(dir, 'record.pem')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(dir, 'record.pub.pem'), 'utf8')).toBe(record.signer.publicKey)
})

test('the next key takes its place, and the private half of the old one is gone', async () => {
  const { record } = await openKeys(dir)
  const before = record.signer.keyId
  const next = await record.stage()
  expect((await record.stage()).keyId).toBe(next.keyId)
  await record.promote()
  expect(record.signer.keyId).toBe(next.keyId)
  expect((await openKeys(dir)).record.signer.keyId).toBe(next.keyId)
  expect(next.keyId).not.toBe(before)
  expect(readdirSync(dir).filter((file) => file.endsWith('.pem') && !file.endsWith('.pub.pem'))).toHaveLength(1)
})

test('after a crash the staged key is the one where it signs by now, and waits where it does not', async () => {
  const { record } = await openKeys(dir)
  const next = await record.stage()
  const crashed = (await openKeys(dir)).record
  await crashed.settle([record.signer.keyId])
  expect(crashed.signer.keyId).toBe(record.signer.keyId)
  await crashed.settle([next.keyId])
  expect(crashed.signer.keyId).toBe(next.keyId)
})

test('a command that the operator staged is the next signer', async () => {
  const { record } = await openKeys(dir, process.env['PATH'])
  const { privatePem, publicPem } = newKeyPair()
  writeFileSync(join(dir, 'hsm.pub.pem'), publicPem)
  writeFileSync(join(dir, 'next.json'), JSON.stringify({ command: ['hsm-sign', '--slot', '2'], publicKey: 'hsm.pub.pem' }))
  expect(await record.stage()).toMatchObject({ kind: 'command', keyId: signerOf(privatePem).keyId })
  await record.promote()
  expect((await openKeys(dir)).record.signer.kind).toBe('command')
})

test('a document that names no key is refused, with what it should be', async () => {
  await openKeys(dir)
  writeFileSync(join(dir, 'signer.json'), JSON.stringify({ key: '../elsewhere.pem' }))
  await expect(openKeys(dir)).rejects.toMatchObject({ code: 'configuration-invalid', hint: expect.stringContaining('"command"') })
  writeFileSync(join(dir, 'signer.json'), JSON.stringify({ key: 'gone.pem' }))
  await expect(openKeys(dir)).rejects.toMatchObject({ code: 'record-key-invalid', subject: join(dir, 'gone.pem') })
})
