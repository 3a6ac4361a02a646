import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { describeStores } from '../test/stores.ts'
import { startControlPlane } from './control-plane.ts'
import { openKeys } from './keys.ts'
import { expectSameKeys } from './same-keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'plumbline-keys-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeStores('the keys that a store was written with', ({ kind, place, store }) => {
  const keysOf = (name: string) => openKeys(join(folder, kind, name))

  test('are asked for at each start: the same go on, others are refused, with what to do', async () => {
    const [first, second] = [await keysOf('first'), await keysOf('second')]
    const expectSame = async (keys: typeof first) => expectSameKeys(await store(), keys, '/plumb/keys', 1)
    await expectSame(first)
    await expectSame(first)
    await expect(expectSame(second)).rejects.toMatchObject({ code: 'store-other-keys', subject: '/plumb/keys/digest.key', hint: expect.stringContaining('Copy the folder keys/') })
    await expectSame(await keysOf('first'))
    expect(JSON.stringify(await (await store()).query('select * from key_fingerprint'))).not.toContain(first.digest.toString('hex').slice(0, 8))
  })

  test('of two that are the first at once, one is', async () => {
    const sql = await store()
    await sql.query('delete from key_fingerprint')
    const made = await Promise.allSettled(['third', 'fourth', 'fifth'].map(async (name) => expectSameKeys(sql, await keysOf(name), '/plumb/keys', 1)))
    expect(made.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  // A folder has one process, and one folder of keys.
  if (kind === 'pglite') return
  test('a control plane with keys of its own does not start on it, and has written nothing there', async () => {
    const sql = await store()
    await sql.query('delete from key_fingerprint')
    await expectSameKeys(sql, await keysOf('first'), '/plumb/keys', 1)
    const at = await place()
    const started = startControlPlane({ dir: join(folder, 'replica'), databaseUrl: 'url' in at ? at.url : '', workspace: { url: folder, branch: 'main' }, kubeconfig: '/nowhere', host: '127.0.0.1', port: 0, clock: systemClock, env: {}, log: () => {} })
    await expect(started).rejects.toMatchObject({ code: 'store-other-keys', subject: join(folder, 'replica', 'keys', 'digest.key') })
    expect(await sql.query('select (select count(*) from principal) + (select count(*) from work) as rows')).toEqual([{ rows: 0 }])
  })
})
