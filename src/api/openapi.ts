import { z } from 'zod'
import { done } from '#model/api/requests.ts'
import { eventView, problem } from '#model/api/views.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

type Schemas = Record<string, object>
export type OpenApi = {
  readonly openapi: string
  readonly info: object
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly components: { readonly schemas: Schemas; readonly securitySchemes: object }
}

const places = {
  workspace: 'in the whole workspace',
  environment: 'in the environment',
  run: 'in the run’s environment',
  finding: 'in the finding’s environment',
  each: 'in any environment; the answer holds what the caller may look at',
} as const

/** What a route asks of its caller, in words. */
export function demandOf(route: Pick<Route, 'role' | 'where'>): string {
  return `\`${route.role}\` ${places[route.where]}`
}

/** The OpenAPI 3.1 document of the table of routes, and of what is beside it. Shapes that have a name are in `components`. */
export function openApiDocument(): OpenApi {
  const schemas: Schemas = {}
  const paths: Record<string, Record<string, object>> = {}
  for (const one of routes) paths[one.path] = { ...paths[one.path], [one.method]: operation(one, schemas) }
  return {
    openapi: '3.1.0',
    info: { title: 'Plumbline', version: 'v1', description: 'What Plumbline knows and does. Times are ISO 8601; errors follow the catalogue of codes.' },
    paths: { ...paths, ...besideTheTable(schemas) },
    components: { schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

/** The JSON schema; what has a name is moved to `schemas`, and referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Schemas): object {
  const written = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<string, unknown>
  const { $schema: _, $defs, ...rest } = JSON.parse(JSON.stringify(written).replaceAll('"#/$defs/', '"#/components/schemas/')) as Record<string, unknown>
  for (const [name, { id: _id, ...definition }] of Object.entries(($defs ?? {}) as Record<string, Record<string, unknown>>)) schemas[name] = definition
  const { id, ...own } = rest
  if (typeof id !== 'string') return own
  schemas[id] = own
  return { $ref: `#/components/schemas/${id}` }
}

function operation(one: Route, schemas: Schemas): object {
  const params = [...one.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const query = Object.entries(one.query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...shape } = schemaOf(schema as z.ZodType, 'output', schemas) as { description?: string }
    return { name, in: 'query', required: false, ...(description === undefined ? {} : { description }), schema: shape }
  })
  return {
    operationId: one.id,
    summary: one.about,
    description: `Asks for ${demandOf(one)}.`,
    security: [{ token: [] }],
    parameters: [...params, ...query],
    ...(one.body === undefined ? {} : { requestBody: { required: true, content: json(schemaOf(one.body, 'input', schemas)) } }),
    responses: { '200': { description: 'As wished.', content: json(schemaOf(one.answer, 'output', schemas)) }, default: failed(schemas) },
  }
}

const json = (schema: object): object => ({ 'application/json': { schema } })

const failed = (schemas: Schemas): object => ({ description: 'A failure, with its code.', content: json(schemaOf(problem, 'output', schemas)) })

/** Webhooks, which bear a signature in place of a token, and the stream of events, whose answer has no end. */
function besideTheTable(schemas: Schemas): Record<string, Record<string, object>> {
  const webhook = (about: string, parameters: object[]): object => ({
    summary: about,
    description: 'Signed by GitHub, GitLab, Gitea, Forgejo, or with `X-Plumbline-Signature-256: sha256=<HMAC-SHA-256 of the body>`. It is a hint to fetch and no more.',
    security: [],
    parameters,
    requestBody: { required: true, content: json({ type: 'object' }) },
    responses: { '202': { description: 'Written down; the look at the repository comes after.', content: json(schemaOf(done, 'output', schemas)) }, default: failed(schemas) },
  })
  return {
    '/v1/events': {
      get: {
        summary: 'What changes, as server-sent events, as far as the caller may look at it.',
        description: `Asks for ${demandOf({ role: 'viewer', where: 'each' })}. Each event’s data is as the schema says. Whoever comes back with \`Last-Event-ID\` misses nothing. The stream ends with its token.`,
        security: [{ token: [] }],
        parameters: [
          { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
          { name: 'after', in: 'query', required: false, description: 'In place of the header: the number of the last event that was seen.', schema: { type: 'string' } },
        ],
        responses: { '200': { description: 'Events.', content: { 'text/event-stream': { schema: schemaOf(eventView, 'output', schemas) } } }, default: failed(schemas) },
      },
    },
    '/metrics': {
      get: {
        summary: 'Metrics, in Prometheus’ text format: docs/reference/metrics.md lists them.',
        description: `Asks for ${demandOf({ role: 'viewer', where: 'workspace' })}.`,
        security: [{ token: [] }],
        responses: { '200': { description: 'Metrics.', content: { 'text/plain': { schema: { type: 'string' } } } }, default: failed(schemas) },
      },
    },
    '/v1/webhooks': { post: webhook('A push to a repository, signed with the installation’s secret.', []) },
    '/v1/webhooks/{repository}': {
      post: webhook('A push to this repository, signed with its own secret.', [{ name: 'repository', in: 'path', required: true, schema: { type: 'string' } }]),
    },
  }
}
