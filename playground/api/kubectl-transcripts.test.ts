import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesObject } from '#playground/contract.ts'
import { Failure } from '#lib/failure.ts'
import { runProcess } from '#lib/process.ts'
import type { LoggedRequest } from './api-server.ts'
import { definitions } from './registry.ts'
import { isInstalled, type TestServer, testServer } from './testing.ts'

type Recording = {
  readonly command: string
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly requests: readonly { readonly method: string; readonly path: string; readonly status: number }[]
  readonly exitCode: number
}

const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'kubernetes-transcripts')
const hasKubectl = isInstalled('kubectl')
const files = existsSync(folder) && hasKubectl ? readdirSync(folder).filter((name) => name.startsWith('kubectl-')) : []

/** Recordings that this server, or the kubectl at hand, answers otherwise, each with its reason. The test fails when one comes out as recorded. */
const different: Readonly<Record<string, string>> = {
  'kubectl-create-strict.json': 'the recorded server had no OpenAPI for kubectl to check by; this one has, and is asked to be strict',
  'kubectl-explain.json': 'the recorded server did not publish the group in OpenAPI; this one does, so it is explained',
  'kubectl-get-1.27.json': 'the recorded server hid its custom groups from the plain discovery documents',
  'kubectl-version.json': 'the recorded server had a version that kubectl could not read',
}

/** Recordings that an older kubectl makes otherwise: not known to differ with the one at hand. */
const byVersion: Readonly<Record<string, string>> = {
  'kubectl-delete-finalizer.json': 'before 1.36 kubectl lists, and then watches',
  'kubectl-wait.json': 'before 1.36 kubectl lists, and then watches',
}

const widgets = '/apis/example.dev/v1/namespaces/default/widgets'
const widget = (name: string, tier: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec: { tier, ...spec },
})
const a = widget('a', 'bronze', { replicas: 2 }, { labels: { app: 'x' } })
const b = widget('b', 'silver')
const asConformance = { 'user-agent': 'conformance/1.0' }

describe.skipIf(files.length === 0)('kubectl sends what was recorded, and is answered as recorded (skipped without kubectl, or where the transcripts are absent)', () => {
  let running: TestServer
  let home: string

  beforeAll(async () => {
    running = await testServer({ namespaceLifecycle: false })
    for (const crd of JSON.parse(readFileSync(join(folder, 'crds.json'), 'utf8')) as KubernetesObject[]) running.server.objects.create(definitions, crd, 'conformance')
    home = mkdtempSync(join(tmpdir(), 'kubectl-'))
    const { server } = running
    const kubeconfig = {
      clusters: [{ name: 't', cluster: { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') } }],
      users: [{ name: 't', user: { token: server.adminToken } }],
      contexts: [{ name: 't', context: { cluster: 't', user: 't' } }],
      'current-context': 't',
    }
    writeFileSync(join(home, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 })
    await kubectl(['api-versions'], home) // the recordings were made with what discovery says in its cache
  })
  afterAll(async () => {
    await running.end()
    rmSync(home, { recursive: true, force: true })
  })

  const kubectl = (args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<number> =>
    runProcess({
      command: 'kubectl',
      args,
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: home, KUBECONFIG: join(home, 'kubeconfig'), ...env },
      timeoutMs: 20_000,
      maxOutputBytes: 1 << 20,
      ...(signal === undefined ? {} : { signal }),
    }).then(
      (exit) => exit.code,
      (error: unknown) => {
        if (error instanceof Failure && error.code === 'process-killed') return 1
        throw error
      },
    )

  /** The objects that a recording began with: a and b, but for those that say otherwise. */
  async function prepare(file: string): Promise<void> {
    const { ask } = running
    await ask('PATCH', `${widgets}/a`, { metadata: { finalizers: null } })
    await ask('DELETE', widgets)
    if (['kubectl-apply-client-side.json', 'kubectl-apply-server-side.json', 'kubectl-create.json', 'kubectl-create-strict.json'].includes(file)) return
    const applied = (manager: string, object: object): Promise<unknown> =>
      ask('PATCH', `${widgets}/a?fieldManager=${manager}`, JSON.stringify(object), { 'content-type': 'application/apply-patch+yaml' })
    if (file === 'kubectl-apply-server-side-conflict.json' || file === 'kubectl-apply-server-side-force.json') {
      await applied('other', widget('a', 'bronze', { replicas: 9, note: 'other' }))
    } else if (file === 'kubectl-diff-none.json') {
      await applied('kubectl', JSON.parse(recordingOf(file).files?.['a.json'] ?? '{}') as object)
    } else if (file === 'kubectl-apply-client-side-change.json' || file === 'kubectl-apply-server-side-migrate.json') {
      const before = { ...widget('a', 'bronze', { replicas: 1, note: 'hello' }) }
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(before)}\n` }
      await ask('POST', `${widgets}?fieldManager=kubectl-client-side-apply`, JSON.stringify({ ...before, metadata: { name: 'a', annotations } }), asConformance)
    } else {
      const held = file === 'kubectl-delete-finalizer.json' ? { finalizers: ['example.dev/hold'] } : {}
      await ask('POST', widgets, JSON.stringify({ ...a, metadata: { name: 'a', labels: { app: 'x' }, ...held } }), asConformance)
      await ask('POST', widgets, JSON.stringify(b), asConformance)
    }
  }

  /** What another client did meanwhile, once kubectl watches. */
  async function meanwhile(file: string, seen: () => readonly LoggedRequest[], stop: AbortController): Promise<void> {
    if (!meanwhileFiles.has(file)) return
    await expect.poll(() => seen().some(({ path }) => path.includes('watch=true')), { timeout: 5000 }).toBe(true)
    if (file === 'kubectl-get-watch.json') stop.abort(new Error('as the recording did'))
    else if (file === 'kubectl-wait.json') await running.ask('PATCH', `${widgets}/a/status`, { status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    else await running.ask('PATCH', `${widgets}/a`, { metadata: { finalizers: null } })
  }

  test.for(files)('%s', async (file) => {
    const recording = recordingOf(file)
    await prepare(file)
    const cwd = join(home, file)
    mkdirSync(cwd)
    for (const [name, content] of Object.entries(recording.files ?? {})) writeFileSync(join(cwd, name), content, { mode: 0o755 })
    const from = running.server.requests().length
    const seen = (): LoggedRequest[] => running.server.requests().slice(from)
    const args = wordsOf(recording.command).slice(1)
    const stop = new AbortController()
    const [code] = await Promise.all([kubectl(args, cwd, recording.env, stop.signal), meanwhile(file, seen, stop)])
    const sent = seen()
      .filter(({ path }) => !isDiscovery(path) && (file === 'kubectl-version.json' || !path.startsWith('/version')))
      .filter(({ path, method }) => !(method === 'PATCH' && /widgets\/a(?:\/status)?$/.test(path) && path.indexOf('?') < 0 && meanwhileFiles.has(file)))
      .map(({ method, path, status }) => `${method} ${normal(path)} ${status}`)
    const expected = recording.requests.filter(({ path }) => !isDiscovery(path)).map(({ method, path, status }) => `${method} ${normal(path)} ${status}`)
    // An older kubectl ends otherwise: the list and the watch in place of the watch alone.
    if (byVersion[file] !== undefined && sent.length === expected.length + 1) expected.splice(-1, 1, ...sent.slice(-2))
    const problems = JSON.stringify([sent, code]) === JSON.stringify([expected, recording.exitCode]) ? [] : [{ sent, expected, code, expectedCode: recording.exitCode }]
    const reason = different[file]
    const wrong = reason === undefined ? problems : problems.length > 0 ? [] : [`${file} comes out as recorded now: take it off the list (${reason})`]
    expect(wrong).toEqual([])
  })
})

const meanwhileFiles = new Set(['kubectl-wait.json', 'kubectl-delete-finalizer.json', 'kubectl-get-watch.json'])

function recordingOf(file: string): Recording {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording
}

/** Which documents are asked for depends on kubectl's version and its cache, and the recorded server had no core group to be discovered. */
function isDiscovery(path: string): boolean {
  return /^\/(?:apis?(?:\?|$)|openapi|apis\/[^/]+\/[^/]+\?timeout|api\/v1\?timeout)/.test(path)
}

function normal(path: string): string {
  return path.replace(/resourceVersion=[^&]+/, 'resourceVersion=…').replace(/timeoutSeconds=[^&]+/, 'timeoutSeconds=…').replace(/continue=[^&]+/, 'continue=…').replace(/timeout=[^&]+/, 'timeout=…')
}

/** A command's words; single quotes hold one together. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
