import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventView } from '#model/api/views.ts'
import { announce } from '#store/events.ts'
import type { Event } from '#store/events.ts'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'
import { eventually } from '../../test/eventually.ts'
import { settled } from '#store/events.ts'
import { revoke } from './tokens.ts'

let place: ApiPlace
let admin: string
beforeAll(async () => {
  place = await openApiPlace()
  admin = await place.token('root', 'admin')
})
afterAll(() => place.stop())

type Heard = { readonly id: string; readonly event: string; readonly data: Record<string, unknown> }

/** An open stream, with what came on it so far. */
async function listen(token: string, headers: Record<string, string> = {}) {
  const answer = await place.app.request('/v1/events', { headers: { authorization: `Bearer ${token}`, ...headers } })
  const heard: Heard[] = []
  let text = ''
  let ended = false
  const reader = answer.body?.getReader()
  const reading = (async () => {
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) break
      text += new TextDecoder().decode(value)
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
        if (!block.startsWith(':')) heard.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) as Record<string, unknown> })
      }
    }
    ended = true
  })()
  const close = async (): Promise<void> => {
    await reader?.cancel()
    await reading
  }
  await eventually(() => heard.length > 0 || ended)
  return { status: answer.status, heard, close, hasEnded: () => ended }
}

const say = (data: Record<string, string>, kind = 'run') => announce(place.store, place.clock.now(), kind, data)

describe('the stream of events', () => {
  test('tells what changes, in order, with a number', async () => {
    const stream = await listen(admin)
    await say({ environment: 'staging', run: 'a' })
    await say({ environment: 'staging', run: 'b' })
    await eventually(() => stream.heard.length === 3)
    expect(stream.heard.map(({ event }) => event)).toEqual(['open', 'run', 'run'])
    expect(stream.heard.at(-1)?.data).toMatchObject({ kind: 'run', at: new Date(place.clock.now()).toISOString(), data: { run: 'b' } })
    await stream.close()
  })

  test('every kind that the store announces is documented', () => {
    const folder = new URL('../store/', import.meta.url)
    const text = readdirSync(folder).filter((name) => name.endsWith('.ts')).map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
    const kinds = [...text.matchAll(/await announce\([^']+'(\w+)', \{/g)].map((match) => match[1])
    expect(kinds).toContain('repository')
    for (const kind of kinds) expect(eventView.shape.kind.options).toContain(kind)
  })

  test('misses nothing across a reconnect', async () => {
    const first = await listen(admin)
    await say({ environment: 'staging', run: 'before' })
    const { id } = await eventually(() => first.heard.find((one) => (one.data['data'] as { run?: string } | undefined)?.run === 'before'))
    await first.close()
    await say({ environment: 'staging', run: 'while away 1' })
    await say({ environment: 'staging', run: 'while away 2' })
    const second = await listen(admin, { 'last-event-id': id })
    await eventually(() => second.heard.length === 3)
    expect(second.heard.slice(1).map((one) => one.data['data'])).toMatchObject([{ run: 'while away 1' }, { run: 'while away 2' }])
    await second.close()
  })

  test('an odd Last-Event-ID starts from now', async () => {
    const stream = await listen(admin, { 'last-event-id': '1; drop table event' })
    expect(stream.heard).toHaveLength(1)
    await stream.close()
  })

  test('tells a principal of one environment what is there, and nothing of others', async () => {
    const token = await place.token('sam', [{ role: 'viewer', environments: ['sandbox'] }])
    const stream = await listen(token)
    await say({ environment: 'production', run: 'run-of-production' })
    await say({ run: 'run-of-production', module: 'shop' }, 'module')
    await say({ run: 'run-of-nowhere', module: 'shop' }, 'module')
    await say({ repository: 'secret-plans' }, 'repository')
    await say({ snapshot: 'snapshot' }, 'problems')
    await say({ snapshot: 'snapshot' }, 'snapshot')
    await say({ run: 'run-of-sandbox', module: 'shop' }, 'module')
    await eventually(() => stream.heard.length > 1)
    expect(stream.heard.slice(1).map((one) => one.data['data'])).toEqual([{ run: 'run-of-sandbox', module: 'shop' }])
    await stream.close()
  })

  test('ends when its token does', async () => {
    const token = await place.token('late', 'viewer', place.clock.now() + 5000)
    const stream = await listen(token)
    // Time goes on, whether or not the stream has gone to sleep by now.
    const isOver = (): boolean => {
      place.clock.advance(1000)
      return stream.hasEnded()
    }
    expect(await eventually(isOver)).toBe(true)
  })

  test('ends when its token is taken back, before it tells anything more', async () => {
    const token = await place.token('gone', 'viewer')
    const stream = await listen(token)
    await revoke(place.parts, 'gone')
    await say({ environment: 'staging', run: 'secret' })
    await eventually(() => stream.hasEnded())
    expect(JSON.stringify(stream.heard)).not.toContain('secret')
  })

  test('is not for those without a role', async () => {
    const none = await place.token('none', [])
    expect((await place.app.request('/v1/events', { headers: { authorization: `Bearer ${none}` } })).status).toBe(403)
    expect((await place.app.request('/v1/events')).status).toBe(401)
  })

  test('ends with the server', async () => {
    const stream = await listen(admin)
    place.stopping.abort()
    expect(await eventually(() => stream.hasEnded())).toBe(true)
  })
})

describe('numbers that are given before their transaction commits', () => {
  const event = (seq: number, at: number): Event => ({ seq, at, kind: 'run', data: {} })

  test('a gap before a young event is waited for', () => {
    expect(settled([event(5, 900), event(7, 1000)], 4, 1000, 500)).toEqual({ events: [event(5, 900)], more: 'soon' })
    expect(settled([event(6, 1000)], 4, 1000, 500)).toEqual({ events: [], more: 'soon' })
  })

  test('a gap before an old event was a transaction that was undone', () => {
    expect(settled([event(5, 0), event(7, 0)], 4, 10_000, 500)).toEqual({ events: [event(5, 0), event(7, 0)], more: 'none' })
  })
})
