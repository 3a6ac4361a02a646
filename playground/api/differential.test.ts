import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { canonicalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { type RandomWrite, randomSequence } from '#playground/fields/testing/random-config.ts'
import { definitions } from './registry.ts'
import { answersTo, answerTo, cleared, digestOfAnswers, randomRequests, type RecordedWrites, recordedDigests, recordedWhole, sampleDefinition } from './testing-random-writes.ts'
import { realCluster } from './testing-real-cluster.ts'
import { subjects } from './testing-subjects.ts'
import { type TestServer, testServer } from './testing.ts'

/** Tests read the environment; the program does not. */
const real = process.env.PLUMBLINE_TEST_KUBECONFIG
const recorded = JSON.parse(readFileSync(new URL('../fields/testing/recorded-merges.json', import.meta.url), 'utf8')) as { answers: Json[][]; digests: string[] }

const recordedWrites = JSON.parse(readFileSync(new URL('recorded-writes.json', import.meta.url), 'utf8')) as RecordedWrites

let running: TestServer
beforeAll(async () => {
  running = await testServer({ namespaceLifecycle: false })
  running.server.objects.create(definitions, sampleDefinition as KubernetesObject, 'test')
})
afterAll(() => running.end())

describe('random writes over HTTP are answered as the library of the real server answered them', () => {
  const path = (seed: number): string => `/apis/example.dev/v1/namespaces/seed-${seed}/samples`

  async function write(seed: number, { how, manager, force, body }: RandomWrite): Promise<number> {
    const { ask } = running
    if (how === 'apply') return (await ask('PATCH', `${path(seed)}/s?fieldManager=${manager}&force=${force}`, body, { 'content-type': 'application/apply-patch+yaml' })).status
    const live = await ask('GET', `${path(seed)}/s`)
    if (live.status === 404) return (await ask('POST', `${path(seed)}?fieldManager=${manager}`, body)).status
    const { resourceVersion } = live.body.metadata as { resourceVersion: string }
    return (await ask('PUT', `${path(seed)}/s?fieldManager=${manager}`, { ...body, metadata: { ...body.metadata, resourceVersion } })).status
  }

  /** The answers to a seed's writes in the form of the recording; it ends at a write that validation refused, of which the library knows nothing. */
  async function answers(seed: number): Promise<Json[]> {
    const all: Json[] = []
    for (const each of randomSequence(seed)) {
      const status = await write(seed, each)
      if (status === 422) break
      all.push(status === 409 ? 'conflict' : inRecordedForm((await running.ask('GET', `${path(seed)}/s`)).body))
    }
    return all
  }

  /** An API server reads metadata into a type of its own first, where empty labels are none; the library alone keeps them. */
  const saysEmptyLabels = (seed: number): boolean => randomSequence(seed).some(({ body }) => isObject(body.metadata.labels) && Object.keys(body.metadata.labels).length === 0)
  const seedsBetween = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i).filter((seed) => !saysEmptyLabels(seed))

  test('sequences of eight writes by three managers, object and owners, to the letter', async () => {
    const seeds = seedsBetween(0, recorded.answers.length)
    const actual = await Promise.all(seeds.map(answers))
    for (const [i, seed] of seeds.entries()) expect({ seed, answers: actual[i] }).toEqual({ seed, answers: recorded.answers[seed]?.slice(0, actual[i]?.length) })
    expect(actual.flat().length).toBeGreaterThan(0.9 * seeds.flatMap((seed) => recorded.answers[seed] ?? []).length)
  })

  test('and a hundred more, by the digests of their answers', async () => {
    const first = recorded.answers.length
    const seeds = seedsBetween(first, first + 130)
    const actual = await Promise.all(seeds.map(answers))
    const digests = actual.map((all) => all.map((answer) => createHash('sha256').update(canonicalJson(answer)).digest('hex').slice(0, 10)))
    for (const [i, seed] of seeds.entries()) expect({ seed, digests: digests[i] }).toEqual({ seed, digests: recorded.digests[seed - first]?.split(' ').slice(0, digests[i]?.length) })
    expect(digests.flat().length).toBeGreaterThan(700)
  })
})

function inRecordedForm({ apiVersion, kind, metadata, spec }: JsonObject): Json {
  const { name, labels, managedFields } = metadata as JsonObject
  const entries = (Array.isArray(managedFields) ? managedFields : []).filter(isObject)
  const owners = Object.fromEntries(entries.map(({ manager, operation, fieldsV1 }) => [`${String(manager)}/${String(operation)}`, fieldsV1 as Json]))
  return { object: { apiVersion, kind, metadata: { name, ...(labels === undefined ? {} : { labels }) }, ...(spec === undefined ? {} : { spec }) } as Json, owners }
}

describe('random applies, updates, patches and deletions are answered as kube-apiserver 1.36.3 over etcd answered them (record-writes.ts)', () => {
  const whole = Object.keys(subjects).flatMap((name) => recordedWhole(name).map((seed, i) => [name, seed, i] as const))
  test.each(whole)('%s, seed %i, to the letter', async (name, seed, i) => {
    expect(await answersTo(running.ask, name, seed, `whole-${seed}`)).toEqual(recordedWrites[name]?.answers[i])
  })

  test.each(Object.keys(subjects))('%s, and more seeds, by the digests of their answers', async (name) => {
    const digests = []
    for (const seed of recordedDigests(name)) digests.push(digestOfAnswers(await answersTo(running.ask, name, seed, `digest-${seed}`)))
    expect(digests).toEqual(recordedWrites[name]?.digests)
    expect(digests.length).toBeGreaterThanOrEqual(20)
  })
})

describe('the same writes to two servers', () => {
  test.each(Object.keys(subjects))('%s: one that is ended and started again after every fifth write answers as one that is not', async (name) => {
    const subject = subjects[name]
    if (subject === undefined) throw new Error(name)
    const other = await testServer({ namespaceLifecycle: false })
    let restarted: TestServer = other
    try {
      other.server.objects.create(definitions, sampleDefinition as KubernetesObject, 'test')
      let seen = 0
      for (const seed of [1, 2, 3, 4]) {
        const path = subject.path(`two-${seed}`)
        for (const [i, request] of randomRequests(subject, seed).entries()) {
          const [first, second] = await Promise.all([answerTo(running.ask, path, request), answerTo(restarted.ask, path, request)])
          expect({ seed, write: i, request, answer: first }).toEqual({ seed, write: i, request, answer: second })
          if (isObject(first) && first.object !== null) seen += 1
          if (i % 5 !== 4) continue
          await restarted.server.stop()
          restarted = await testServer({ namespaceLifecycle: false, dir: other.dir })
        }
      }
      expect(seen).toBeGreaterThan(20)
    } finally {
      await restarted.end()
    }
  })

  describe.skipIf(real === undefined)('the playground and a real cluster (skipped where PLUMBLINE_TEST_KUBECONFIG names none)', () => {
    let cluster: Awaited<ReturnType<typeof realCluster>>
    const namespace = `plumbline-differential-${randomUUID().slice(0, 8)}`

    beforeAll(async () => {
      cluster = await realCluster(real ?? '')
      const { ask } = cluster
      await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', sampleDefinition)
      await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      await vi.waitUntil(async () => (await ask('GET', `/apis/example.dev/v1/namespaces/${namespace}/samples`)).status === 200, { timeout: 10_000 })
    })
    afterAll(async () => {
      await cluster?.ask('DELETE', `/api/v1/namespaces/${namespace}`)
      await cluster?.ask('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/samples.example.dev')
      cluster?.end()
    })

    const seeds = Array.from({ length: 20 }, (_, seed) => 100 + seed)
    test.each(Object.keys(subjects).flatMap((name) => seeds.map((seed) => [name, seed] as const)))('%s, seed %i', async (name, seed) => {
      await cleared(cluster.ask, subjects[name]?.path(namespace) ?? '')
      const theirs = await answersTo(cluster.ask, name, seed, namespace)
      expect(await answersTo(running.ask, name, seed, `real-${seed}`)).toEqual(theirs)
    })
  })
})
