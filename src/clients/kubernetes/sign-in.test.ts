import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { startFakeApiServer, type FakeApiServer } from '../../../test/fake-api-server.ts'
import type { KubernetesClient, ServedKind } from './client.ts'
import { openKubernetes } from './open.ts'

const maps: ServedKind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] }
const never = new AbortController().signal
const found = { metadata: { name: 'x', uid: 'u', resourceVersion: '1' } }

let servers: FakeApiServer[] = []
let clients: KubernetesClient[] = []
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
  clients = []
})

async function start(user: object): Promise<FakeApiServer> {
  const server = await startFakeApiServer((_, answer) => answer.json(200, found), { user })
  servers.push(server)
  return server
}

async function open(kubeconfig: string, context = 'fake'): Promise<KubernetesClient> {
  const client = await openKubernetes({ kubeconfig, context, clock: systemClock })
  clients.push(client)
  return client
}

const failureOf = (work: Promise<unknown>) => work.then(() => undefined, (error: unknown) => asFailure(error, 'x'))

test('a kubeconfig that is missing, broken, or lacks the context is said to be so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-kubeconfig-'))
  expect(await failureOf(open(join(folder, 'none')))).toMatchObject({ code: 'kubeconfig-invalid', message: 'there is no such file' })
  const broken = join(folder, 'broken')
  for (const text of ['{', '[]', 'a: [', '', '\0']) {
    await writeFile(broken, text)
    expect(await failureOf(open(broken))).toMatchObject({ code: 'kubeconfig-invalid' })
  }
  const server = await start({ token: 'a' })
  const failure = await failureOf(open(server.kubeconfig, 'prod'))
  expect(failure).toMatchObject({ code: 'kubeconfig-invalid', message: 'it has no context "prod"', hint: 'It has: fake.' })
})

test('of several kubeconfigs the first that has a name wins, as it does for kubectl, and one that is missing is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-kubeconfig-'))
  const [first, second] = await Promise.all([start({ token: 'first' }), start({ token: 'second' })])
  // The second has the same names, and a context of its own.
  const other = (await readFile(second.kubeconfig, 'utf8')).replace('"contexts":[', '"contexts":[{"name":"own","context":{"cluster":"fake","user":"fake"}},')
  await writeFile(join(folder, 'second'), other)
  const files = [join(folder, 'none'), first.kubeconfig, join(folder, 'second')]
  for (const context of ['fake', 'own']) {
    const client = await openKubernetes({ kubeconfig: files, context, clock: systemClock })
    clients.push(client)
    await client.get(maps, 'n', 'x', never)
  }
  expect(first.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer first', 'Bearer first'])
  expect(second.requests).toEqual([])
  await writeFile(join(folder, 'broken'), '{')
  expect(await failureOf(openKubernetes({ kubeconfig: [first.kubeconfig, join(folder, 'broken')], context: 'fake', clock: systemClock }))).toMatchObject({ code: 'kubeconfig-invalid', message: expect.stringContaining('broken cannot be read') })
  expect(await failureOf(openKubernetes({ kubeconfig: [join(folder, 'none'), join(folder, 'neither')], context: 'fake', clock: systemClock }))).toMatchObject({ message: 'there is no such file', subject: expect.stringMatching(/none, .*neither/) })
})

test('a certificate of another authority is not trusted', async () => {
  const [server, other] = await Promise.all([start({ token: 'a' }), start({ token: 'a' })])
  const text = await readFile(other.kubeconfig, 'utf8')
  await writeFile(other.kubeconfig, text.replace(other.origin, server.origin))
  const client = await open(other.kubeconfig)
  expect(await failureOf(client.get(maps, 'n', 'x', never))).toMatchObject({ code: 'kubernetes-unreachable' })
  expect(server.requests).toEqual([])
})

test('an exec plugin is asked for its token, and its failure is told without what it printed on standard output', async () => {
  const plugin = (script: string) => ({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script], interactiveMode: 'Never' } })
  const good = await start(plugin(`console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: 'from-plugin' } }))`))
  await (await open(good.kubeconfig)).get(maps, 'n', 'x', never)
  expect(good.requests[0]?.headers['authorization']).toBe('Bearer from-plugin')
  const bad = await start(plugin(`console.log('token-canary'); console.error('expired, sign in again'); process.exit(1)`))
  const failure = await failureOf((await open(bad.kubeconfig)).get(maps, 'n', 'x', never))
  expect(failure).toMatchObject({ code: 'kubernetes-sign-in-failed' })
  expect(failure?.message).toContain('expired, sign in again')
  expect(JSON.stringify(failure)).not.toContain('token-canary')
})

test('basic sign-in and impersonation are sent', async () => {
  const server = await start({ username: 'u', password: 'p', as: 'other' })
  await (await open(server.kubeconfig)).get(maps, 'n', 'x', never)
  expect(server.requests[0]?.headers).toMatchObject({ authorization: `Basic ${Buffer.from('u:p').toString('base64')}`, 'impersonate-user': 'other' })
})

test('a rotated token is taken up after a 401', async () => {
  const server = await start({ token: 'old' })
  server.handle = (request, answer) => (request.headers['authorization'] === 'Bearer new' ? answer.json(200, found) : answer.status(401, 'Unauthorized', 'Unauthorized'))
  const client = await open(server.kubeconfig)
  await writeFile(server.kubeconfig, (await readFile(server.kubeconfig, 'utf8')).replace('"old"', '"new"'))
  expect(await client.get(maps, 'n', 'x', never)).toBeDefined()
})
