import type { JsonObject } from '#lib/json.ts'
import type { Cause } from '#playground/contract.ts'

/** What a `Status` names: a kind as it stands in messages. */
export type Named = { readonly group: string; readonly plural: string; readonly kind: string }

/** An answer that is a failure: the `Status` that HTTP sends, thrown through the same path in process. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string
  /** The whole `Status` object, as it is sent. */
  readonly status: JsonObject
  /** Warnings that were gathered before the failure. */
  readonly warnings: readonly string[]

  constructor(code: number, reason: string, message: string, more: { details?: JsonObject; metadata?: JsonObject; warnings?: readonly string[] } = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.reason = reason
    this.warnings = more.warnings ?? []
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: more.metadata ?? {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(more.details === undefined ? {} : { details: more.details }),
      code,
    }
  }
}

/** `deployments.apps`, or `pods` for the core group. */
function qualified(name: string, group: string): string {
  return group === '' ? name : `${name}.${group}`
}

function details(named: Named, name: string, kind: string): JsonObject {
  return { ...(name === '' ? {} : { name }), ...(named.group === '' ? {} : { group: named.group }), kind }
}

export function notFound(named: Named, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(named.plural, named.group)} "${name}" not found`, { details: details(named, name, named.plural) })
}

export function alreadyExists(named: Named, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(named.plural, named.group)} "${name}" already exists`, {
    details: details(named, name, named.plural),
  })
}

export function conflict(named: Named, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(named.plural, named.group)} "${name}": ${why}`
  return new ApiError(409, 'Conflict', message, { details: details(named, name, named.plural) })
}

/** A failed precondition of a delete: it names the kind where other conflicts name the resource. */
export function preconditionFailed(named: Named, name: string, why: string): ApiError {
  return conflict({ ...named, plural: named.kind }, name, why)
}

export const modifiedMeanwhile = 'the object has been modified; please apply your changes to the latest version and try again'

export function forbidden(named: Named, name: string, why: string, causes?: readonly Cause[]): ApiError {
  const message = `${qualified(named.plural, named.group)} "${name}" is forbidden: ${why}`
  return new ApiError(403, 'Forbidden', message, {
    details: { ...details(named, name, named.plural), ...(causes === undefined ? {} : { causes: causes.map((cause) => ({ ...cause })) }) },
  })
}

export function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', { details: {} })
}

export function badRequest(message: string, warnings: readonly string[] = []): ApiError {
  return new ApiError(400, 'BadRequest', message, { warnings })
}

/** A failure without a reason, as the server's own code answers what it did not foresee. */
export function internal(message: string): ApiError {
  return new ApiError(500, '', message)
}

export function invalid(subject: { group: string; kind: string }, name: string, causes: readonly Cause[], warnings: readonly string[] = []): ApiError {
  const texts = [...new Set(causes.map((cause) => (cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`)))]
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return new ApiError(422, 'Invalid', `${qualified(subject.kind, subject.group)} "${name}" is invalid: ${list}`, {
    details: {
      ...(name === '' ? {} : { name }),
      ...(subject.group === '' ? {} : { group: subject.group }),
      ...(subject.kind === '' ? {} : { kind: subject.kind }),
      causes: causes.map((cause) => ({ ...cause })),
    },
    warnings,
  })
}

/** Options of a request that do not hold: `CreateOptions`, `PatchOptions`, `ListOptions`, `DeleteOptions`. */
export function invalidOptions(kind: string, causes: readonly Cause[]): ApiError {
  return invalid({ group: 'meta.k8s.io', kind }, '', causes)
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}

export function notAcceptable(): ApiError {
  return new ApiError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  )
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', { details: {} })
}

export function expired(message: string, metadata: JsonObject = {}): ApiError {
  return new ApiError(410, 'Expired', message, { metadata })
}
