import type { JsonObject } from './json.ts'

/** Whether the same call may be tried again: never, at once, or later (the world has to change first). */
export type Retry = 'never' | 'now' | 'later'

type FailureDetails = {
  /** A stable, documented code (`model/errors.ts` has the catalogue). Code branches on it, never on the text. */
  readonly code: string
  /** What it is about: a file with line and column, a module, an object, a run. */
  readonly subject: string
  /** What happened, in one sentence, without secrets. */
  readonly message: string
  /** What the person who reads this can do next. */
  readonly hint?: string
  readonly retry?: Retry
  /** Details for machines: JSON, without secrets. */
  readonly fields?: JsonObject
  readonly cause?: unknown
}

/** The one error class. Everything that a user can meet is one of these. */
export class Failure extends Error {
  readonly code: string
  readonly subject: string
  readonly hint: string | undefined
  readonly retry: Retry
  readonly fields: JsonObject

  constructor(details: FailureDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Failure'
    this.code = details.code
    this.subject = details.subject
    this.hint = details.hint
    this.retry = details.retry ?? 'never'
    this.fields = details.fields ?? {}
  }

  /** The shape in which a failure is stored, sent and printed. The cause stays behind: it may hold anything. */
  toJSON(): FailureJson {
    return {
      code: this.code,
      subject: this.subject,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      retry: this.retry,
      ...(Object.keys(this.fields).length === 0 ? {} : { fields: this.fields }),
    }
  }
}

export type FailureJson = {
  code: string
  subject: string
  message: string
  hint?: string
  retry: Retry
  fields?: JsonObject
}

/** Any thrown value as a failure: a `Failure` as it is, anything else as `internal`, with its text. */
export function asFailure(thrown: unknown, subject: string): Failure {
  if (thrown instanceof Failure) return thrown
  return new Failure({
    code: 'internal',
    subject,
    message: thrown instanceof Error ? thrown.message : String(thrown),
    hint: 'This is a defect in Plumbline: please report it with the log around it.',
    cause: thrown,
  })
}
