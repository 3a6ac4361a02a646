import type { FailureJson } from '#lib/failure.ts'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'

/** Takes secret values out of a text; see `lib/redact.ts`. */
export type Redact = (text: string) => string

/**
 * What names things and counts them: written by us, or kept to the form of a name where it is read. A secret that happens to be `production` takes no
 * environment's name away.
 */
const names: ReadonlySet<string> = new Set([
  'id', 'name', 'environment', 'environments', 'module', 'dependsOn', 'run', 'kind', 'key', 'action', 'outcome', 'state', 'verdict', 'delivery', 'verification', 'code', 'retry', 'digest', 'planDigest',
  'previous', 'snapshot', 'sha', 'head', 'branch', 'uid', 'track', 'tier', 'repository', 'probe', 'principal', 'role', 'signal', 'waitingFor', 'token', 'finding', 'object', 'keyId',
])

/** Values of live objects and of systems: no key in them is one of ours. */
const values: ReadonlySet<string> = new Set(['from', 'to', 'value', 'fields'])

/** The parts of an exported chain were sealed without secrets, and are what their digests say. */
const sealed: ReadonlySet<string> = new Set(['publicKey', 'records', 'checkpoints', 'rotations', 'start'])

const time = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

/** A document that leaves us (an answer, an event, a record) without secrets: in every text but names. */
export function redactedDocument<T>(document: T, redact: Redact): T {
  return walk(document, redact, '') as T
}

function walk(value: unknown, redact: Redact, key: string): unknown {
  if (typeof value === 'string') return names.has(key) || time.test(value) ? value : redact(value)
  // A list's items are named as the list is.
  if (Array.isArray(value)) return value.map((one) => walk(one, redact, key))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, sealed.has(name) ? one : values.has(name) ? allTexts(one, redact) : walk(one, redact, name)]))
}

function allTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((one) => allTexts(one, redact))
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, allTexts(one, redact)])) : value
}

/**
 * A value that goes to the store, with the failures, decisions, samples and warnings in it redacted, and all else as it is: what plans stand on must come
 * back as it went there.
 */
export function redactedTrouble<T>(value: T, redact: Redact): T {
  if (Array.isArray(value)) return value.map((one) => redactedTrouble(one, redact)) as T
  if (!isObject(value)) return value
  if (tellsTrouble(value)) return redactedDocument<unknown>(value, redact) as T
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, compared.has(key) ? one : key === 'warnings' ? allTexts(one, redact) : redactedTrouble(one, redact)]),
  ) as T
}

/** Parts of a plan and of the inventory that are held against what is there. */
const compared: ReadonlySet<string> = new Set(['sealed', 'changes', 'fields', 'payload', 'omit'])

/** A failure, a gate's decision, a sample. */
function tellsTrouble(object: Readonly<Record<string, unknown>>): boolean {
  return typeof object['message'] === 'string' && (typeof object['code'] === 'string' || typeof object['verdict'] === 'string')
}

/** A failure without secrets, and without its cause. */
export function redactedFailure(failure: Failure, redact: Redact): Failure {
  return new Failure(redactedDocument<FailureJson>(failure.toJSON(), redact))
}
