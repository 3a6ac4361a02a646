import type { z } from 'zod'
import type { Finding } from '#model/finding.ts'
import type { Principal, Role } from '#model/principal.ts'
import type { Parts } from '#run/parts.ts'
import type { RunRow } from '#store/runs.ts'

/**
 * Where the role of a route must hold. `workspace`: in all environments. `environment`: in the one that the path names. `run`: in that of the run that
 * the path names; a run of an environment that the caller may not look at is not there. `finding`: the same for a finding. `each`: in any environment, or in the one that the query
 * names; the answer holds nothing of environments that the caller may not look at.
 */
export type Where = 'workspace' | 'environment' | 'run' | 'finding' | 'each'

/** A request that was let in: its parts are checked against the route's schemas. */
export type Call<In extends Where, Query, Body> = {
  readonly parts: Parts
  readonly principal: Principal
  /** Whether the caller may look at an environment. */
  readonly sees: (environment: string) => boolean
  readonly params: Readonly<Record<string, string>>
  readonly run: In extends 'run' ? RunRow : undefined
  readonly finding: In extends 'finding' ? Finding : undefined
  readonly query: Query
  readonly body: Body
  readonly signal: AbortSignal
}

/** One line of the table of routes. */
export type Route = {
  /** The operation's id, and the method's name in the client. */
  readonly id: string
  readonly method: 'get' | 'post'
  /** With `{name}` for parameters; `{run}`, `{finding}` and `{environment}` are those of `where`. */
  readonly path: string
  readonly about: string
  readonly role: Role
  readonly where: Where
  readonly query: z.ZodObject | undefined
  readonly body: z.ZodType | undefined
  readonly answer: z.ZodType
  readonly handle: (call: Call<Where, never, never>) => Promise<unknown>
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

/** A route whose handler's types follow its schemas. */
export function route<In extends Where, Query extends z.ZodObject | undefined, Body extends z.ZodType | undefined, Answer extends z.ZodType>(one: {
  id: string
  method: 'get' | 'post'
  path: string
  about: string
  role: Role
  where: In
  query?: Query
  body?: Body
  answer: Answer
  handle: (call: Call<In, Output<Query>, Output<Body>>) => Promise<z.input<Answer>>
}): Route {
  return { query: undefined, body: undefined, ...one } as unknown as Route
}
