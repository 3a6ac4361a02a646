import { z } from 'zod'
import { problem } from '#model/api/views.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<string, unknown>
  return rest
}

/** The OpenAPI 3.1 document of the table of routes. */
export function openApiDocument(): { openapi: string; info: object; paths: Record<string, Record<string, object>>; components: object } {
  const paths: Record<string, Record<string, object>> = {}
  for (const one of routes) paths[one.path] = { ...paths[one.path], [one.method]: operation(one) }
  return {
    openapi: '3.1.0',
    info: { title: 'Plumbline', version: 'v1', description: 'What Plumbline knows and does. Times are ISO 8601; errors follow the catalogue of codes.' },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

function operation(one: Route): object {
  const params = [...one.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const query = one.query.map((name) => ({ name, in: 'query', required: false, schema: { type: 'string' } }))
  const content = (schema: object): object => ({ 'application/json': { schema } })
  return {
    operationId: one.id,
    summary: one.about,
    description: `Asks for the role \`${one.role}\`.`,
    security: [{ token: [] }],
    parameters: [...params, ...query],
    ...(one.body === undefined ? {} : { requestBody: { required: true, content: content(schemaOf(one.body, 'input')) } }),
    responses: {
      '200': { description: 'As wished.', content: content(schemaOf(one.answer, 'output')) },
      default: { description: 'A failure, with its code.', content: content(schemaOf(problem, 'output')) },
    },
  }
}
