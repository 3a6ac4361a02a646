import { beforeEach, describe, expect, test } from 'vitest'
import type { Readiness } from '#drivers/driver.ts'
import { FakeClock, startDeadline } from '#lib/clock.ts'
import { Failure } from '#lib/failure.ts'
import type { Held } from '#model/plan.ts'
import type { RunKind } from '#store/runs.ts'
import { awaitReady, untoldGrace } from './await-ready.ts'
import { lookAtReadiness } from './look-at-readiness.ts'
import type { ModuleIntent } from './render-run.ts'
import type { Bound, Work } from './work.ts'

/** What a driver tells, one after the other, until the test or the signal ends it. */
class Told {
  readonly #waiting: (() => void)[] = []
  readonly #all: Readiness[] = []
  #over = false
  failure: Error | undefined

  say(key: string, state: Readiness['state']): void {
    this.#all.push({ key, state, message: `${key} is ${state}` })
    this.#wake()
  }
  end(): void {
    this.#over = true
    this.#wake()
  }
  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
  async *ready({ signal }: { signal: AbortSignal }): AsyncGenerator<Readiness> {
    if (this.failure !== undefined) throw this.failure
    signal.addEventListener('abort', () => this.#wake())
    for (;;) {
      for (const one of this.#all.splice(0)) yield one
      if (this.#over || signal.aborted) return
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

let clock: FakeClock
let told: Told
let work: Work
beforeEach(() => {
  clock = new FakeClock()
  told = new Told()
  work = workOf('change')
})

function workOf(kind: RunKind): Work {
  const sql = { query: async () => [], transaction: async (write: (tx: unknown) => unknown) => write({ query: async () => [{ environment: 'dev' }] }) }
  return { parts: { clock, sql, log: () => {} }, run: { id: 'run-1', kind, environment: 'dev' }, claim: { signal: new AbortController().signal, fence: async () => {} }, untold: new Set() } as unknown as Work
}
const bound = (): Bound => ({ driver: { ready: (call: { signal: AbortSignal }) => told.ready(call) }, call: {}, target: 'cluster', place: async () => 'here' }) as unknown as Bound
/** Until everything that is under way waits for the clock or for what the driver tells. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('what nothing tells of', () => {
  const keys = ['toys.example/Toy/x/a', 'toys.example/Toy/x/b']
  const begin = (deadlineMs = 300_000) => {
    const deadline = startDeadline(clock, deadlineMs).signal
    return awaitReady(work, bound(), { module: 'toys', objects: keys.map((key) => ({ key, uid: key })), signal: deadline, deadline })
  }

  test('is untold after a while, where all else is ready', async () => {
    const awaited = begin()
    told.say('toys.example/Toy/x/a', 'untold')
    told.say('toys.example/Toy/x/b', 'ready')
    await settle()
    clock.advance(untoldGrace)
    expect(await awaited).toBeUndefined()
    expect([...work.untold]).toEqual(['toys\ntoys.example/Toy/x/a'])
  })

  test('has its module’s deadline from the moment that something tells of it', async () => {
    const awaited = begin()
    for (const key of keys) told.say(key, 'untold')
    await settle()
    told.say(keys[0] ?? '', 'progressing')
    await settle()
    clock.advance(untoldGrace)
    await settle()
    told.say(keys[0] ?? '', 'ready')
    await settle()
    // From here on again: the other still says nothing.
    clock.advance(untoldGrace - 1)
    await settle()
    expect(work.untold.size).toBe(0)
    clock.advance(1)
    expect(await awaited).toBeUndefined()
    expect([...work.untold]).toEqual([`toys\n${keys[1]}`])
  })

  test('and is told of, but not ready at the deadline, fails there and not before', async () => {
    const awaited = begin(60_000)
    for (const key of keys) told.say(key, 'untold')
    await settle()
    told.say(keys[0] ?? '', 'progressing')
    await settle()
    clock.advance(60_000)
    expect(await awaited).toMatchObject({ code: 'deadline-exceeded', message: expect.stringContaining('is progressing') })
  })
})

describe('a module without probes that a run did nothing to is looked at', () => {
  const key = 'apps/Deployment/x/web'
  const held = [{ place: 'here', key, uid: 'u' }] as Held[]
  const intent = { name: 'web', shown: [{ key }] } as unknown as ModuleIntent
  const look = (rows = held, of = intent) => {
    const deadline = startDeadline(clock, 300_000).signal
    return lookAtReadiness(work, of, rows, async () => bound(), { signal: deadline, deadline })
  }

  test.each([
    ['ready', { verdict: 'passed' }],
    ['failed', { verdict: 'failed', failure: { code: 'not-ready', message: `${key} is failed` } }],
    ['gone', { verdict: 'failed', failure: { code: 'not-ready' } }],
  ] as const)('%s', async (state, expected) => {
    told.say(key, state)
    told.end()
    expect(await look()).toMatchObject(expected)
  })

  test('what nothing tells of stays unknown', async () => {
    const looked = look()
    told.say(key, 'untold')
    await settle()
    clock.advance(untoldGrace)
    expect(await looked).toEqual({ verdict: 'unknown' })
  })

  test('who only asks is not kept waiting for the deadline by what crashes again and again', async () => {
    work = workOf('verify')
    const looked = look()
    told.say(key, 'progressing')
    await settle()
    clock.advance(10_000)
    expect(await looked).toMatchObject({ verdict: 'failed', failure: { code: 'deadline-exceeded' } })
  })

  test.each([
    ['refuses', 'never', 'kubernetes-refused'],
    ['does not answer', 'later', 'kubernetes-unreachable'],
  ] as const)('a system that %s leaves it unknown', async (_, retry, code) => {
    work = workOf('verify')
    told.failure = new Failure({ code, subject: 'cluster', message: 'no', retry })
    const looked = look()
    await settle()
    clock.advance(10_000)
    expect(await looked).toMatchObject({ verdict: 'unknown', failure: { code } })
  })

  test('what is not delivered, or is elsewhere, is unknown; what declares nothing has nothing to wait for', async () => {
    expect(await look([])).toMatchObject({ verdict: 'unknown', failure: { code: 'readiness-unknown' } })
    expect(await look([{ place: 'there', key, uid: 'u' } as Held])).toMatchObject({ verdict: 'unknown', failure: { code: 'readiness-unknown' } })
    expect(await look([], { ...intent, shown: [] })).toEqual({ verdict: 'passed' })
  })
})
