import type { z } from 'zod'
import type { Principal, Role } from '#model/principal.ts'
import type { Parts } from '#run/parts.ts'

/** A request that was let in: its parts are checked against the route's schemas. */
export type Call<Body> = {
  readonly parts: Parts
  readonly principal: Principal
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  readonly body: Body
  readonly signal: AbortSignal
}

/** One line of the table of routes. */
export type Route = {
  /** The operation's id, and the method's name in the client. */
  readonly id: string
  readonly method: 'get' | 'post'
  /** With `{name}` for parameters. */
  readonly path: string
  readonly about: string
  readonly role: Role
  /** Where the role must hold: the environment that the request is about, or `*`, the whole workspace. */
  readonly environment: (call: Pick<Call<unknown>, 'parts' | 'params'>) => Promise<string> | string
  readonly query: readonly string[]
  readonly body: z.ZodType | undefined
  readonly answer: z.ZodType
  readonly handle: (call: Call<never>) => Promise<unknown>
}

/** A route whose handler's types follow its schemas. */
export function route<Body extends z.ZodType | undefined, Answer extends z.ZodType>(one: {
  id: string
  method: 'get' | 'post'
  path: string
  about: string
  role: Role
  environment?: Route['environment']
  query?: readonly string[]
  body?: Body
  answer: Answer
  handle: (call: Call<Body extends z.ZodType ? z.output<Body> : undefined>) => Promise<z.input<Answer>>
}): Route {
  return { environment: () => '*', query: [], body: undefined, ...one } as unknown as Route
}
