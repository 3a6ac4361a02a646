import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { startApiServer } from './api-server.ts'
import { definitions } from './registry.ts'
import { replay } from './replay/replay.ts'
import type { Transcript, Unseen } from './replay/transcript.ts'

/** Beside the repository: real answers of a real Kubernetes API server. */
const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'kubernetes-transcripts')

const knobs = '/apis/example.dev/v1/namespaces/default/knobs'
const knob = (name: string, value: string): { apiVersion: string; kind: string; metadata: { name: string }; spec: { value: string } } => ({
  apiVersion: 'example.dev/v1',
  kind: 'Knob',
  metadata: { name },
  spec: { value },
})

/** Writes that the recordings made between their steps without showing them. */
const unseen: Readonly<Record<string, readonly Unseen[]>> = {
  'crud-list-paging.json': ['a', 'b', 'c', 'd', 'e'].map((name) => ({ before: 0, method: 'POST', path: knobs, body: knob(name, name) })),
  'crud-list-selectors.json': [
    {
      before: 3,
      method: 'POST',
      path: '/apis/example.dev/v1/namespaces/team-a/widgets',
      body: { apiVersion: 'example.dev/v1', kind: 'Widget', metadata: { name: 'd', labels: { app: 'x' } }, spec: { tier: 'silver' } },
    },
  ],
  'watch-compaction.json': [
    ...['a', 'b', 'c'].map((name) => ({ before: 0, method: 'POST', path: knobs, body: knob(name, name) })),
    ...['c0', 'c1', 'c2'].map((value) => ({ before: 1, method: 'PATCH', path: `${knobs}/c`, body: { spec: { value } } })),
  ],
}

/** Seconds that the recordings let pass before a step: they decide the order of managed fields, and end watches. */
const pauses: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  'apply-change.json': { 2: 1 },
  'watch-timeout.json': { 1: 3 },
  'watch-bookmarks-initial-events.json': { 6: 3 },
}

/** Tokens that the recordings made by hand. */
const forged: Readonly<Record<string, Readonly<Record<number, Readonly<Record<string, string>>>>>> = {
  'watch-compaction.json': { 5: { '<continue-1>': Buffer.from('{"v":"meta.k8s.io/v1","rv":20,"start":"a\\u0000"}').toString('base64url') } },
}

/** Before which step the client of a watch went away, where what followed would have been seen. */
const closings: Readonly<Record<string, Readonly<Record<number, number>>>> = { 'watch-bookmarks-initial-events.json': { 2: 4 } }

/** Steps that are answered otherwise, and why. The test fails when one is answered as recorded. */
const deliberate: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'discovery-aggregated.json': { 3: 'this server has the core group; the recorded one served custom resources alone' },
  'discovery-negotiation.json': { 1: 'protobuf is not spoken: the refusal is JSON' },
  'discovery-roots.json': { 0: 'this server has more groups' },
  'discovery-version-health.json': { 0: 'the version is that of the followed release, not of a build without one', 3: 'this server publishes more groups' },
}

const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('kubectl-') && name !== 'crds.json') : []

describe.skipIf(files.length === 0)('transcripts of a real Kubernetes API server replay true (skipped where ../shared/kubernetes-transcripts is absent)', () => {
  const crds = files.length === 0 ? [] : (JSON.parse(readFileSync(join(folder, 'crds.json'), 'utf8')) as KubernetesObject[])

  test.for(files)('%s', async (file) => {
    const transcript = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Transcript
    const dir = mkdtempSync(join(tmpdir(), 'transcript-'))
    const clock = new FakeClock()
    // The recorded names happen to sort the other way round than they were made.
    let names = 0
    const newSuffix = (): string => `${'zyxwvt'[names++] ?? 'b'}2345`
    const server = await startApiServer({ dir, port: 0, clock, name: 'replay', namespaceLifecycle: false, newSuffix })
    try {
      for (const crd of crds) server.objects.create(definitions, crd, 'conformance')
      const problems = await replay({ server, clock, transcript, unseen: unseen[file] ?? [], pauses: pauses[file] ?? {}, forged: forged[file] ?? {}, closings: closings[file] ?? {}, deliberate: deliberate[file] ?? {} })
      expect(problems).toEqual([])
    } finally {
      await server.stop()
      rmSync(dir, { recursive: true })
    }
  })
})
