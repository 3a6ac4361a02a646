import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { type TestServer, testServer } from '../testing.ts'

const clock = new FakeClock()
const asked: { container: string | undefined; since: number; timestamps: boolean }[] = []
let running: TestServer

beforeAll(async () => {
  running = await testServer({ clock, logs: (_namespace, _name, query) => (asked.push(query), query.container === 'main' ? undefined : 'a line\n') })
  const spec = { containers: [{ name: 'main', image: 'app:1' }], initContainers: [{ name: 'first', image: 'app:1' }] }
  await running.ask('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec })
})
afterAll(() => running.end())

const log = (query: string) => running.ask('GET', `/api/v1/namespaces/default/pods/p/log?${query}`)

test('an init container has a log too, and one that does not exist has none', async () => {
  expect(await log('container=first')).toMatchObject({ status: 200, text: 'a line\n' })
  expect(await log('container=other')).toMatchObject({ status: 400, body: { message: 'container other is not valid for pod p' } })
})

test('what is asked for by time is handed on', async () => {
  await log('container=first&sinceSeconds=60&timestamps=true')
  await log('container=first&sinceTime=2026-01-01T00:00:30Z')
  await log('container=first')
  expect(asked.slice(-3).map(({ since, timestamps }) => [since, timestamps])).toEqual([[clock.now() - 60_000, true], [Date.parse('2026-01-01T00:00:30Z'), false], [-Infinity, false]])
})

test('a log that is not there yet, and one that went with a restart of the node, are told apart', async () => {
  expect(await log('container=main')).toMatchObject({ status: 400, body: { message: 'container "main" in pod "p" is waiting to start: ContainerCreating' } })
  const terminated = { exitCode: 0, containerID: 'process://7' }
  await running.ask('PATCH', '/api/v1/namespaces/default/pods/p/status', { status: { containerStatuses: [{ name: 'main', image: 'app:1', imageID: '', ready: false, restartCount: 0, state: { terminated } }] } })
  expect(await log('container=main')).toMatchObject({ status: 200, text: 'unable to retrieve container logs for process://7' })
})
