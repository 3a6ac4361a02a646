import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import { contentType, Replay, type Step } from './testing/replay.ts'

const folder = fileURLToPath(new URL('../../../shared/kubernetes-transcripts/', import.meta.url))
const present = existsSync(`${folder}crds.json`)
const read = (name: string) => JSON.parse(readFileSync(`${folder}${name}`, 'utf8')) as Json

const files = present ? readdirSync(folder).filter((name) => /^(apply|validation|crud-put|crud-versions|crud-create-get|crud-generation)[-.]/.test(name)) : []

/** Steps that no pure function can answer: they are the HTTP server's, and its own replay holds them. */
const beyond: readonly { readonly why: string; readonly test: (step: Step) => boolean }[] = [
  { why: 'reading is the server’s', test: ({ request }) => !['PATCH', 'PUT', 'POST'].includes(request.method) },
  { why: 'definitions are the server’s', test: ({ request }) => request.path.includes('customresourcedefinitions') },
  { why: 'what a request must have, how bodies are parsed, and 4xx other than conflicts of fields and invalid content, are the server’s', test: serversOwn },
  { why: 'the body is only described', test: ({ request }) => typeof request.body === 'string' && request.body.startsWith('(') },
  { why: 'apply to /scale is refused before field management', test: ({ request }) => request.path.includes('/scale?') && contentType(request).includes('apply') },
]

function serversOwn({ response }: Step): boolean {
  const { body, status } = response
  if (status < 400 || !isObject(body)) return false
  const details = isObject(body.details) ? body.details : {}
  const causes = (details.causes ?? []) as JsonObject[]
  if (status === 409) return causes.length === 0
  if (status === 422) return details.group === 'meta.k8s.io' || causes.length === 0 || causes.some(({ field }) => ['metadata.uid', 'metadata.resourceVersion', 'patch'].includes(field as string))
  return status !== 500 || !(body.message as string).startsWith('failed to create typed patch object')
}

describe.skipIf(!present)('the recorded server (skipped where ../shared/kubernetes-transcripts is absent)', () => {
  test.each(files)('%s', (file) => {
    const transcript = read(file) as { steps: Step[] }
    const replay = new Replay(file.includes('ratcheting') ? gauge(transcript.steps) : (read('crds.json') as JsonObject[]))
    let replayed = 0
    for (const [i, step] of transcript.steps.entries()) {
      replay.follow(step)
      const reason = beyond.find(({ test }) => test(step))
      if (reason !== undefined) continue
      replayed++
      expect(() => replay.step(step, `step ${i}: ${step.say}`)).not.toThrow()
    }
    expect(replayed > 0 || file === 'apply-large.json').toBe(true)
  })
})

function gauge(steps: Step[]): JsonObject[] {
  return [structuredClone(steps[0]?.request.body) as JsonObject]
}
