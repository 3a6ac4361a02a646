import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import type { Json } from '#lib/json.ts'
import { answersTo, cleared, digestOfAnswers, recordedDigests, recordedWhole, sampleDefinition } from './testing-random-writes.ts'
import { realCluster } from './testing-real-cluster.ts'
import { subjects } from './testing-subjects.ts'

// node playground/api/record-writes.ts KUBECONFIG: what that cluster answers to random writes, for `differential.test.ts`.
const { ask, end } = await realCluster(process.argv[2] ?? '')
const namespace = `record-writes-${randomUUID().slice(0, 8)}`
await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', sampleDefinition)
while ((await ask('GET', `/apis/example.dev/v1/namespaces/${namespace}/samples`)).status !== 200) await after(100)

async function answersOf(name: string, seeds: readonly number[]): Promise<Json[][]> {
  const all: Json[][] = []
  for (const seed of seeds) {
    await cleared(ask, subjects[name]?.path(namespace) ?? '')
    all.push(await answersTo(ask, name, seed, namespace))
  }
  return all
}

const lines: string[] = []
for (const name of Object.keys(subjects)) {
  const answers = await answersOf(name, recordedWhole(name))
  const digests = (await answersOf(name, recordedDigests(name))).map(digestOfAnswers)
  lines.push(`${JSON.stringify(name)}: ${JSON.stringify({ answers, digests })}`)
}
writeFileSync(new URL('recorded-writes.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`)
await ask('DELETE', `/api/v1/namespaces/${namespace}`)
await ask('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/samples.example.dev')
end()
