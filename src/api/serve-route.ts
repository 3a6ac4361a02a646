import type { Context } from 'hono'
import type { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import { runNamed } from '#run/commands.ts'
import { findingNamed } from '#run/drift/commands.ts'
import type { RunSelection } from '#model/latest-run.ts'
import { redactedDocument } from '#model/redacted.ts'
import type { Parts } from '#run/parts.ts'
import { authorise, visibleTo } from './authorise.ts'
import type { Bearer, Demand } from './authorise.ts'
import { expectKnown } from './expect-known.ts'
import type { Names } from './expect-known.ts'
import type { Call, Route } from './route.ts'

/** Which runs `latest` is the newest of; of all, elsewhere. */
const latestOf: Readonly<Partial<Record<string, RunSelection>>> = { approve: 'to-approve', cancel: 'open' }

/** Authorisation, and only then a look at what was sent. This is the one place where a route is entered. */
export async function serveRoute(context: Context, parts: Parts, route: Route, { principal }: Bearer): Promise<Response> {
  const params = context.req.param() as Record<string, string>
  for (const [name, value] of Object.entries(params)) expectPlain(route, name, value)
  const sees = visibleTo(principal)
  // Before a run or a finding is looked up: who holds the role nowhere learns nothing about what there is.
  if (route.where === 'run' || route.where === 'finding') authorise(principal, { role: route.role, where: 'somewhere' })
  const query = readQuery(context, route)
  const run = route.where === 'run' ? await runNamed(parts, params['run'] ?? '', sees, latestOf[route.id]) : undefined
  const finding = route.where === 'finding' ? await findingNamed(parts, params['finding'] ?? '', sees) : undefined
  authorise(principal, { role: route.role, where: placeOf(route, params, query, run ?? finding) })
  const body = route.body === undefined ? undefined : expectShape(route, route.body, 'body', await readJson(context, route))
  await expectKnown(parts, namesIn(route, params, { ...query, ...(isObject(body) ? body : {}) }), sees)
  const call: Call<'workspace', unknown, unknown> = { parts, principal, sees, params, run: run as undefined, finding: finding as undefined, query, body, signal: context.req.raw.signal }
  const answer = await route.handle(call as Call<never, never, never>)
  return context.json(redactedDocument(route.answer.parse(answer) as object, (text) => parts.redactor.redact(text)))
}

function placeOf(route: Route, params: Readonly<Record<string, string>>, query: Readonly<Record<string, unknown>>, named: { readonly environment: string } | undefined): Demand['where'] {
  if (route.where === 'environment') return { environment: params['environment'] ?? '' }
  if (route.where === 'run' || route.where === 'finding') return { environment: named?.environment ?? '' }
  const only = query['environment']
  if (route.where === 'each') return typeof only === 'string' ? { environment: only } : 'somewhere'
  return 'workspace'
}

/** What a request names that has to be there: the module of an import is one to be. */
function namesIn({ path }: Route, params: Readonly<Record<string, string>>, { environment, module }: Readonly<Record<string, unknown>>): Names {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  return { environment: params['environment'] ?? text(environment), module: path.endsWith('/import') ? undefined : text(module) }
}

/** PostgreSQL keeps no NUL, and no name of ours has a control character. */
function expectPlain(route: Route, name: string, value: string): void {
  // eslint-disable-next-line no-control-regex
  if (value.length <= 256 && value.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(value)) return
  throw invalid(route, [`${name}: expected at most 256 characters, none of them a control character`])
}

function readQuery(context: Context, route: Route): Readonly<Record<string, unknown>> {
  const given = context.req.query()
  for (const [name, value] of Object.entries(given)) expectPlain(route, name, value)
  const unknown = Object.keys(given).filter((name) => !(name in (route.query?.shape ?? {})))
  if (unknown.length > 0) throw invalid(route, unknown.map((name) => `${name.slice(0, 40)}: unknown parameter`))
  return route.query === undefined ? {} : (expectShape(route, route.query, 'query', given) as Record<string, unknown>)
}

async function readJson(context: Context, route: Route): Promise<unknown> {
  const text = await context.req.text()
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw invalid(route, ['body: it is not JSON'])
  }
}

function expectShape(route: Route, schema: z.ZodType, what: string, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(route, parsed.error.issues.slice(0, 20).map((issue) => `${issue.path.join('.') || what}: ${issue.message.slice(0, 200)}`))
}

function invalid(route: Route, problems: string[]): Failure {
  return new Failure({ code: 'request-malformed', subject: route.id, message: problems.join('; '), hint: 'GET /openapi.json tells what it must be.', fields: { problems } })
}
