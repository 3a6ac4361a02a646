import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KubernetesObject } from '#playground/contract.ts'
import { Storage } from './storage.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'storage-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const thing = (name: string, value = ''): KubernetesObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a' }, data: { value } })
const failureOf = (call: () => unknown): unknown => {
  try {
    return call()
  } catch (error) {
    return error
  }
}
const names = (objects: readonly KubernetesObject[]): (string | undefined)[] => objects.map((object) => object.metadata.name)

describe('storage', () => {
  test('what was durable is there again, in the order of keys, at the same version', async () => {
    const first = new Storage(dir)
    first.write('ADDED', '/configmaps', thing('b'))
    first.write('ADDED', '/configmaps', thing('a'))
    const gone = first.write('ADDED', '/configmaps', thing('c'))
    first.write('DELETED', '/configmaps', gone)
    await first.durable()
    const second = new Storage(dir) // the first is not closed: it was killed
    expect(names(second.list('/configmaps', 'a'))).toEqual(['a', 'b'])
    expect(second.version).toBe(first.version)
    await second.close()
    const third = new Storage(dir) // the second made a snapshot
    expect(names(third.list('/configmaps'))).toEqual(['a', 'b'])
    expect(third.version).toBe(first.version)
    await third.close()
  })

  test('a torn last line is dropped, a damaged one in the middle is refused', async () => {
    const first = new Storage(dir)
    first.write('ADDED', '/configmaps', thing('a'))
    await first.durable()
    appendFileSync(join(dir, 'journal.ndjson'), '{"v":1002,"r":"/configmaps","k":"a/b","o":{"api')
    const second = new Storage(dir)
    expect(names(second.list('/configmaps'))).toEqual(['a'])
    await second.close()
    writeFileSync(join(dir, 'journal.ndjson'), '{"v":2000,\n{"v":2001,"r":"/configmaps","k":"a/b","o":null}\n')
    expect(failureOf(() => new Storage(dir))).toMatchObject({ code: 'playground-journal', subject: `${join(dir, 'journal.ndjson')}:1` })
    writeFileSync(join(dir, 'journal.ndjson'), '')
    writeFileSync(join(dir, 'snapshot.ndjson'), 'no snapshot\n')
    expect(failureOf(() => new Storage(dir))).toMatchObject({ code: 'playground-journal', subject: `${join(dir, 'snapshot.ndjson')}:1` })
  })

  test('lines that a snapshot holds already are not read twice', async () => {
    const first = new Storage(dir)
    const stored = first.write('ADDED', '/configmaps', thing('a', 'old'))
    await first.durable()
    const journal = readFileSync(join(dir, 'journal.ndjson'))
    first.write('MODIFIED', '/configmaps', { ...stored, data: { value: 'new' } })
    await first.durable()
    const second = new Storage(dir)
    await second.close()
    writeFileSync(join(dir, 'journal.ndjson'), journal) // a crash before the journal was emptied
    const third = new Storage(dir)
    expect(third.get('/configmaps', 'a/a')?.data).toEqual({ value: 'new' })
    await third.close()
  })

  test('an older list is the list as it was, until its history is forgotten', async () => {
    const storage = new Storage(dir)
    const a = storage.write('ADDED', '/configmaps', thing('a', '1'))
    const then = storage.version
    storage.write('MODIFIED', '/configmaps', { ...a, data: { value: '2' } })
    storage.write('ADDED', '/configmaps', thing('b'))
    const old = storage.listAt(then, '/configmaps')
    expect(old.map((object) => [object.metadata.name, object.data])).toEqual([['a', { value: '1' }]])
    expect(storage.since(then, '/configmaps').map((change) => change.type)).toEqual(['MODIFIED', 'ADDED'])
    storage.compact()
    expect(storage.oldest).toBe(storage.version)
    await storage.close()
  })

  test('listeners hear changes in order, also those that a listener makes', async () => {
    const storage = new Storage(dir)
    const heard: number[] = []
    storage.subscribe((change) => {
      if (change.object.metadata.name === 'a') storage.write('ADDED', '/configmaps', thing('b'))
    })
    storage.subscribe((change) => heard.push(change.version))
    storage.write('ADDED', '/configmaps', thing('a'))
    expect(heard).toEqual([1001, 1002])
    await storage.close()
  })

  test('stored objects are frozen: whoever shares one cannot change it for the others', async () => {
    const storage = new Storage(dir)
    const stored = storage.write('ADDED', '/configmaps', thing('a', '1'))
    expect(() => {
      ;(stored.data as { value: string }).value = '2'
    }).toThrow(TypeError)
    await storage.close()
  })

  test('when the disk fails, nothing more is said to be durable', async () => {
    const storage = new Storage(dir)
    storage.write('ADDED', '/configmaps', thing('a'))
    await storage.durable()
    await storage.close() // the file is gone from under it
    storage.write('ADDED', '/configmaps', thing('b'))
    await expect(storage.durable()).rejects.toThrow(/EBADF/)
    await expect(storage.durable()).rejects.toThrow(/EBADF/)
  })

  test('many writes share a sync, and each is waited for', async () => {
    const storage = new Storage(dir)
    const all = Array.from({ length: 500 }, async (_, index) => {
      storage.write('ADDED', '/configmaps', thing(`n${index}`))
      await storage.durable()
      return readFileSync(join(dir, 'journal.ndjson'), 'utf8').includes(`"a/n${index}"`)
    })
    expect(await Promise.all(all)).toEqual(Array.from({ length: 500 }, () => true))
    await storage.close()
  })
})
