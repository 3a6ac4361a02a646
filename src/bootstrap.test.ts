import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { openStore } from '#store/open.ts'
import { layEmptyStore } from '../test/empty-store.ts'
import { ensureAdmin } from './bootstrap.ts'

test('the first token is in a file that nobody else may read, whatever lay there, and stays while it is good', async ({ onTestFinished }) => {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-token-'))
  layEmptyStore(join(dir, 'store'))
  const store = await openStore({ dir: join(dir, 'store') }, systemClock)
  onTestFinished(async () => {
    await store.close()
    rmSync(dir, { recursive: true })
  })
  const [file, elsewhere] = [join(dir, 'token'), join(dir, 'elsewhere')]
  writeFileSync(file, 'of an installation that is gone\n')
  chmodSync(file, 0o644)
  const token = await ensureAdmin(store, file, 1)
  expect(readFileSync(file, 'utf8')).toBe(`${token}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await ensureAdmin(store, file, 2)).toBe(token)

  rmSync(file)
  writeFileSync(elsewhere, 'somebody’s')
  symlinkSync(elsewhere, file)
  expect(await ensureAdmin(store, file, 3)).not.toBe(token)
  expect(readFileSync(elsewhere, 'utf8')).toBe('somebody’s')
})
