import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { Backend } from '../backend.ts'
import { builtInKinds } from '../kinds.ts'
import { Storage } from '../storage.ts'
import { watchVerb } from './watch.ts'

describe('a watch tells nothing that a crash could take back', () => {
  let dir: string
  let storage: Storage
  let told: string[]
  let over: AbortController
  let stream: Promise<void>

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'watch-'))
    storage = new Storage(dir)
    told = []
    over = new AbortController()
  })
  afterEach(async () => {
    over.abort()
    await stream
    rmSync(dir, { recursive: true })
  })

  const writeEvent = (about: string): unknown => storage.write('ADDED', '/events', { apiVersion: 'v1', kind: 'Event', metadata: { name: about, namespace: 'a' }, involvedObject: { name: about } } as KubernetesObject)
  const write = (name: string): unknown => storage.write('ADDED', '/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a' } } as KubernetesObject)

  async function watch(query: string, resource = '/configmaps'): Promise<void> {
    const kind = builtInKinds(() => undefined).find(({ group, plural }) => `${group}/${plural}` === resource)
    if (kind === undefined) throw new Error('no such kind')
    const request = { method: 'GET', path: '', query: new URLSearchParams(query), headers: {}, body: Buffer.alloc(0), user: { name: 'u', groups: [] }, signal: over.signal }
    const answer = await watchVerb({ storage, clock: systemClock } as unknown as Backend, request, { kind, namespace: 'a', name: '', subresource: '' })
    if (!('stream' in answer)) throw new Error('no stream')
    stream = answer.stream({ signal: over.signal, write: (text) => void told.push(...String(text).trim().split('\n').map(shortly)) })
  }

  function shortly(line: string): string {
    const { type, object } = JSON.parse(line) as { type: string; object: { metadata: { name?: string; resourceVersion: string } } }
    return `${type} ${object.metadata.name ?? object.metadata.resourceVersion}`
  }

  test('the list that comes first waits for the disk, its bookmark is of that list, and what comes meanwhile follows', async () => {
    write('a')
    await watch('watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
    write('b')
    expect(told).toEqual([])
    await storage.durable()
    await expect.poll(() => told).toEqual(['ADDED a', 'BOOKMARK 1001', 'ADDED b'])
    write('c')
    await expect.poll(() => told.at(-1)).toBe('ADDED c')
    await storage.close()
  })

  test('Events are told in the version that is watched, narrowed by its own fields', async () => {
    writeEvent('one')
    await storage.durable()
    await watch('watch=1&fieldSelector=regarding.name!%3Dtwo', 'events.k8s.io/events')
    for (const name of ['two', 'three']) writeEvent(name)
    await expect.poll(() => told).toEqual(['ADDED one', 'ADDED three'])
    await storage.close()
  })

  test('a disk that fails ends it', async () => {
    await watch('watch=1')
    await storage.close() // the file is gone from under it
    write('lost')
    await stream
    expect(told).toEqual([])
  })
})
