import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Run, Status } from '#api/client.ts'
import type { Connection } from '#cli/connect.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { firstDelivery, isDone } from './first-delivery.ts'

/** A control plane as far as the first deliveries ask one: its events come when something was approved. */
const open = new Set<ServerResponse>()
const server = createServer((_, answer) => {
  answer.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: open\ndata: {}\n\n')
  open.add(answer)
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const statusOf = (modules: readonly Partial<Status['environments'][number]['modules'][number]>[], more: Partial<Status> = {}): Status =>
  ({ problems: [], environments: [{ name: 'production', modules: modules.map((one) => ({ name: 'web', delivery: 'synced', verification: 'passed', snapshot: 's', ...one })) }], ...more }) as unknown as Status
const run = (id: string, more: Partial<Run>): Run => ({ id, environment: 'production', state: 'succeeded', waiting: [], plan: { digest: `plan of ${id}`, summary: {} }, steps: [], probes: [], record: { seq: 0, digest: 'd' }, endedAt: '2026-11-01T00:00:00Z', createdAt: '2026-11-01T00:00:00Z', ...more }) as unknown as Run
const waits = (id: string, ...codes: string[]): Run => run(id, { state: 'waiting', waiting: codes.map((waitingFor) => ({ code: 'x', outcome: 'wait', waitingFor, message: 'it waits' })) as Run['waiting'], record: null, endedAt: null })
const behind = { delivery: 'behind', verification: 'unknown', snapshot: null } as const

async function deliver(before: { runs: readonly Run[]; status: Status }, after = before): Promise<{ approved: string[]; notes: string[]; status: Status; timely: boolean }> {
  const approved: string[] = []
  const notes: string[] = []
  const now = (): typeof before => (approved.length === 0 ? before : after)
  const client = {
    status: () => Promise.resolve(now().status),
    runs: ({ environment, limit = 20 }: { environment?: string; limit?: number }) => Promise.resolve({ runs: now().runs.filter((one) => environment === undefined || one.environment === environment).slice(0, limit) }),
    approve: (id: string) => {
      approved.push(id)
      for (const answer of open) answer.write('event: run\ndata: {}\n\n')
      return Promise.resolve({ run: null })
    },
  }
  const connection = { client, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'x' } as unknown as Connection
  const around: Surroundings = { print: () => {}, note: (line) => notes.push(line), colours: false, width: 100, cwd: '/', env: {}, readFile: () => undefined, now: () => Date.parse('2026-11-02T00:00:00Z') }
  const enough = AbortSignal.timeout(2_000)
  const status = await firstDelivery(connection, around, enough)
  return { approved, notes, status, timely: !enough.aborted }
}

describe('the playground approves', () => {
  test('the first run of an environment, once, and says so', async () => {
    const { approved, notes, status, timely } = await deliver({ runs: [waits('run-1', 'approval')], status: statusOf([behind]) }, { runs: [run('run-1', {})], status: statusOf([{}]) })
    expect(approved).toEqual(['run-1'])
    expect(notes.filter((line) => line.startsWith('Approving'))).toEqual(['Approving run-1, the first run of production, as the user playground. Later ones wait for plumb approve.'])
    expect([isDone(status), timely]).toEqual([true, true])
  })

  test.each<[string, readonly Run[], Status]>([
    ['a later one', [waits('run-2', 'approval'), run('run-1', {})], statusOf([{ delivery: 'behind' }])],
    ['a later one, also where much has happened elsewhere since', [waits('run-2', 'approval'), ...Array.from({ length: 30 }, (_, at) => run(`run-of-sandbox-${at}`, { environment: 'sandbox' })), run('run-1', {})], statusOf([{ delivery: 'behind' }])],
    ['one after a first that failed', [waits('run-2', 'approval'), run('run-1', { state: 'failed' })], statusOf([behind])],
    ['what waits for a person besides', [waits('run-1', 'approval', 'person')], statusOf([behind])],
  ])('not %s, and does not wait for it', async (_, runs, status) => {
    expect(await deliver({ runs, status })).toMatchObject({ approved: [], timely: true })
  })
})

test.each<[string, Status, boolean]>([
  ['all is delivered and verified', statusOf([{}, { verification: 'warned' }]), true],
  ['something is not verified', statusOf([{}, { verification: 'failed' }]), false],
  ['nobody knows of something', statusOf([{}, { verification: 'unknown' }]), false],
  ['something is not delivered', statusOf([{}, { delivery: 'behind' }]), false],
  ['an environment has nothing', statusOf([]), false],
  ['there is no environment', statusOf([], { environments: [] }), false],
])('where %s, --once ends accordingly', (_, status, done) => {
  expect(isDone(status)).toBe(done)
})
