import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChainWriter } from './chain-fixture.ts'
import { newKeyPair } from './dsse.ts'
import { verifyExport } from './export.ts'
import { openFolder, reportFiles, writeFolder } from './folder.ts'
import type { ChainReport } from './verify.ts'

const [keys, other] = [newKeyPair(), newKeyPair()]
let dir: string
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'plumbline-export-'))
  const chains = ['staging', 'production'].map((environment) => {
    const writer = new ChainWriter(keys.privatePem, environment)
    for (let at = 0; at < 6; at += 1) writer.append()
    const { records, ...frame } = writer.seal().chain()
    return { frame, pages: pagesOf(records) }
  })
  await writeFolder(dir, keys.publicPem, chains)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function* pagesOf(records: readonly string[]): AsyncGenerator<readonly string[]> {
  await Promise.resolve()
  yield records.slice(0, 4)
  yield records.slice(4)
}

const verified = async (key = keys.publicPem, heads = {}): Promise<ChainReport[]> => verifyExport(await openFolder(dir), key, heads)
const edit = (file: string, change: (text: string) => string): void => writeFileSync(join(dir, file), change(readFileSync(join(dir, file), 'utf8')))
const lines = (change: (lines: string[]) => unknown) => (text: string) => {
  const all = text.trimEnd().split('\n')
  change(all)
  return `${all.join('\n')}\n`
}

test('an export that was written is read as often as it is asked, and verifies', async () => {
  const folder = await openFolder(dir)
  for (const _ of [1, 2]) expect(verifyExport(folder, keys.publicPem).map((report) => [report.environment, report.sealed, report.defects])).toEqual([['production', 6, []], ['staging', 6, []]])
})

describe('a tampering of its files is found and named', () => {
  const records = join('staging', 'records.ndjson')
  test.each<[how: string, tamper: () => void, where: string]>([
    ['a changed byte', () => edit(records, (text) => text.replace('change 2', 'change X')), 'record 2'],
    ['a removed line', () => edit(records, lines((all) => all.splice(3, 1))), 'record 3'],
    ['two swapped lines', () => edit(records, lines((all) => all.splice(2, 2, all[3] ?? '', all[2] ?? ''))), 'record 2'],
    ['lines at the end that were cut', () => edit(records, lines((all) => all.splice(4))), 'record 4'],
    ['a line at the end that was made up', () => appendFileSync(join(dir, records), '{"predicateType":"https://plumbline.dev/run-record/v1alpha1"}\n'), 'record 6'],
    ['the records of another environment', () => edit(records, () => readFileSync(join(dir, 'production', 'records.ndjson'), 'utf8')), 'record 0'],
    ['a signature that was swapped', () => edit(join('staging', 'chain.json'), (text) => text.replace(/"sig": "..../, '"sig": "AAAA')), 'checkpoint of 6 records'],
    ['a beginning that was never pruned', () => {
      edit(join('staging', 'chain.json'), (text) => text.replace('"start": null', `"start": { "size": 2, "head": "sha256:${'0'.repeat(64)}", "roots": ["${'0'.repeat(64)}"] }`))
      edit(records, lines((all) => all.splice(0, 2)))
    }, 'record 2'],
    ['a chain whose folder bears another name', () => renameSync(join(dir, 'staging'), join(dir, 'sandbox')), 'checkpoint 0'],
  ])('%s', async (_, tamper, where) => {
    tamper()
    const [report] = (await verified()).filter(({ environment }) => environment !== 'production')
    expect(report?.defects.map((defect) => defect.where)).toContain(where)
  })

  test('a public key that was replaced, together with all that it signed', async () => {
    const forged = new ChainWriter(other.privatePem).append().seal().chain()
    writeFileSync(join(dir, 'public-key.pem'), other.publicPem)
    writeFileSync(join(dir, records), `${forged.records.join('\n')}\n`)
    edit(join('staging', 'chain.json'), () => JSON.stringify({ environment: 'staging', start: null, rotations: [], checkpoints: forged.checkpoints }))
    expect((await verified()).find(({ environment }) => environment === 'staging')?.defects).toEqual([{ where: 'checkpoint of 1 records', what: 'is not signed by a known key' }])
  })

  test('a whole chain that is gone, by its published head', async () => {
    const head = (await verified())[0]?.head ?? ''
    rmSync(join(dir, 'production'), { recursive: true })
    expect((await verified(keys.publicPem, { production: head })).at(-1)).toMatchObject({ environment: 'production', defects: [{ where: 'the chain' }] })
  })
})

test('what is no export is refused, and says what is wrong', async () => {
  writeFileSync(join(dir, 'staging', 'chain.json'), '{"environment": "staging", "start": {"size": "many"}}')
  await expect(openFolder(dir)).rejects.toMatchObject({ code: 'record-export-invalid', message: expect.stringContaining('size') })
  rmSync(join(dir, 'staging', 'chain.json'))
  const told = (message: string) => ({ code: 'record-export-invalid', message: `this is not an export of records: ${message}`, hint: expect.stringContaining('plumb record export') })
  await expect(openFolder(dir)).rejects.toMatchObject(told('there is no staging/chain.json in it'))
  await expect(openFolder(join(dir, 'nowhere'))).rejects.toMatchObject(told('there is nothing of that name'))
  rmSync(join(dir, 'public-key.pem'))
  await expect(openFolder(dir)).rejects.toMatchObject(told('there is no public-key.pem in it'))
  writeFileSync(join(dir, reportFiles.html), '<!doctype html>')
  await expect(openFolder(dir)).rejects.toMatchObject(told('it has records.html, a report to read, and not the records themselves'))
})

test('no name of an environment leads out of the folder', async () => {
  const chain = { frame: { environment: '../elsewhere', checkpoints: [] }, pages: pagesOf([]) }
  await expect(writeFolder(dir, keys.publicPem, [chain])).rejects.toMatchObject({ code: 'record-export-invalid' })
})
