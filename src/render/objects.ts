import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { keyOf, showKey } from '#model/resource.ts'
import type { Desired } from '#model/resource.ts'
import type { RenderedDocument } from './renderer.ts'

const limits = { objectBytes: 1_500_000, objects: 10_000, problems: 50 }

/**
 * Rendered documents as desired objects, by key. Every document must be one object that an API server could take; all that are not are told
 * together: a Failure with the code of the first, and `fields.problems` where there are more.
 * Failures: `object-invalid`, `object-generate-name`, `object-too-large`, `object-duplicate`, `render-too-large`.
 */
export function desiredObjects(documents: readonly RenderedDocument[], repository: string): Desired[] {
  if (documents.length > limits.objects) {
    const [first] = documents
    throw new Failure({ code: 'render-too-large', subject: `${repository}/${first?.file}`, message: `${documents.length} objects in one module; ${limits.objects} are the most`, hint: 'Split the module.' })
  }
  const found = new Map<string, Desired>()
  const problems: Failure[] = []
  for (const document of documents) {
    const subject = `${repository}/${document.file}:${document.line}`
    const problem = fault(document.value)
    if (problem !== undefined) {
      problems.push(new Failure({ ...problem, subject, fields: { repository, file: document.file, line: document.line } }))
      continue
    }
    const desired = toDesired(document, repository)
    const other = found.get(desired.key)
    if (other === undefined) found.set(desired.key, desired)
    else {
      const message = `${showKey(desired.key)} is also declared in ${other.origin.file}:${other.origin.line}`
      problems.push(new Failure({ code: 'object-duplicate', subject, message, hint: 'Keep one of them.', fields: { repository, file: document.file, line: document.line, key: desired.key } }))
    }
  }
  throwAll(problems)
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Failure `secret-in-git`: Secrets with their data in the repository, which a module has to ask for. */
export function refusePlainSecrets(objects: readonly Desired[]): void {
  throwAll(
    objects.filter(holdsSecretData).map(
      ({ key, origin }) =>
        new Failure({
          code: 'secret-in-git',
          subject: `${origin.repository}/${origin.file}:${origin.line}`,
          message: `${showKey(key)} has its data in Git`,
          hint: 'Take it out and name it in the module’s `secrets`, by reference; the value is in the repository’s history, so change it too. `plainSecrets: true` allows it.',
          fields: { ...origin, key },
        }),
    ),
  )
}

export function holdsSecretData({ key, body }: Desired): boolean {
  const isFilled = (data: Json | undefined): boolean => data !== undefined && data !== null && !(isObject(data) && Object.keys(data).length === 0)
  return key.startsWith('core/Secret/') && (isFilled(body['data']) || isFilled(body['stringData']))
}

/** As `JSON.stringify` writes them; a backslash before the backslash makes it text. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

type Fault = { readonly code: string; readonly message: string; readonly hint?: string }

function fault(value: Json): Fault | undefined {
  const invalid = (message: string): Fault => ({ code: 'object-invalid', message })
  if (!isObject(value)) return invalid('expected a Kubernetes object: a mapping with apiVersion, kind and metadata')
  const { apiVersion, kind, metadata } = value
  if (typeof apiVersion !== 'string' || !/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9]{1,63}$/.test(apiVersion)) return invalid(`apiVersion ${apiVersion === undefined ? 'is missing' : 'is not <group>/<version>'}`)
  if (typeof kind !== 'string' || !/^[A-Za-z][A-Za-z0-9]{0,62}$/.test(kind)) return invalid(`kind ${kind === undefined ? 'is missing' : 'is not the name of a kind'}`)
  if (!isObject(metadata)) return invalid(`${kind} has no metadata`)
  const { name, namespace, generateName } = metadata
  if (name === undefined && generateName !== undefined) {
    return { code: 'object-generate-name', message: `${kind} has generateName: it would be another object at every delivery`, hint: 'Give it a metadata.name.' }
  }
  if (typeof name !== 'string' || name.length === 0) return invalid(`${kind} has no metadata.name, or one that is no text (quote it)`)
  if (name.length > 253 || name === '.' || name === '..' || /[/%\s\p{Cc}]/u.test(name)) return invalid(`${kind} has a metadata.name that no API server takes`)
  if (namespace !== undefined && namespace !== null && (typeof namespace !== 'string' || !/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$/.test(namespace))) return invalid(`${kind} ${name} has a metadata.namespace that is no name`)
  if (metadata['managedFields'] !== undefined) return invalid(`${kind} ${name} has metadata.managedFields, which only the API server writes`)
  for (const field of ['labels', 'annotations']) {
    const entries = metadata[field] ?? {}
    if (!isObject(entries)) return invalid(`${kind} ${name}: metadata.${field} is no mapping`)
    const wrong = Object.keys(entries).find((key) => typeof entries[key] !== 'string')
    if (wrong !== undefined) return invalid(`${kind} ${name}: metadata.${field}.${wrong} is no text (quote it: YAML reads yes, on, 1 and 0x10 as booleans and numbers)`)
  }
  const text = JSON.stringify(value)
  if (unstorable.test(text)) return invalid(`${kind} ${name} holds a NUL character or half a surrogate pair, which PostgreSQL cannot store`)
  const size = Buffer.byteLength(text)
  if (size > limits.objectBytes) return { code: 'object-too-large', message: `${kind} ${name} has ${size} bytes; an API server keeps ${limits.objectBytes} at most` }
  return undefined
}

/** What tools leave behind empty is no intent: `status: {}` and `creationTimestamp: null`. */
function toDesired({ value, file, line }: RenderedDocument, repository: string): Desired {
  const { status, ...object } = value as JsonObject
  const { creationTimestamp, namespace, ...metadata } = object['metadata'] as JsonObject
  const isBare = status === undefined || status === null || (isObject(status) && Object.keys(status).length === 0)
  const body: JsonObject = {
    ...object,
    metadata: {
      ...metadata,
      ...(typeof namespace === 'string' && namespace !== '' ? { namespace } : {}),
      ...(creationTimestamp === undefined || creationTimestamp === null ? {} : { creationTimestamp }),
    },
    ...(isBare ? {} : { status }),
  }
  const [apiVersion, kind, name] = [object['apiVersion'], object['kind'], metadata['name']] as [string, string, string] // `fault` has looked
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const key = keyOf({ group, kind, namespace: typeof namespace === 'string' ? namespace : '', name })
  return { key, body, origin: { repository, file, line } }
}

function throwAll(problems: readonly Failure[]): void {
  const [first, ...more] = problems
  if (first === undefined) return
  if (more.length === 0) throw first
  const all: FailureJson[] = problems.slice(0, limits.problems).map((one) => one.toJSON())
  throw new Failure({
    code: first.code,
    subject: first.subject,
    message: `${first.message} (and ${more.length} more)`,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    fields: { ...first.fields, problems: all.map((one) => ({ ...one })) },
  })
}
