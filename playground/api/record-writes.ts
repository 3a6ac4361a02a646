import { writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { answersTo, digestOfAnswers, recordedDigests, recordedWhole, sampleDefinition } from './testing-random-writes.ts'
import { realCluster } from './testing-real-cluster.ts'

// node playground/api/record-writes.ts KUBECONFIG: what that cluster answers to random writes to a custom resource, for `differential.test.ts`.
const { ask, end } = await realCluster(process.argv[2] ?? '')
const samples = '/apis/example.dev/v1/namespaces/default/samples'
await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', sampleDefinition)
while ((await ask('GET', samples)).status !== 200) await after(100)
const answersOf = async (seed: number): ReturnType<typeof answersTo> => {
  await ask('DELETE', samples)
  return answersTo(ask, 'a custom resource', seed, 'default')
}
const answers = []
for (const seed of recordedWhole) answers.push(await answersOf(seed))
const digests = []
for (const seed of recordedDigests) digests.push(digestOfAnswers(await answersOf(seed)))
writeFileSync(new URL('recorded-writes.json', import.meta.url), `${JSON.stringify({ answers, digests })}\n`)
await ask('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/samples.example.dev')
end()
