import { openApiDocument } from '../src/api/openapi.ts'

type JsonSchema = {
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  additionalProperties?: JsonSchema | boolean
}
type Operation = {
  operationId: string
  summary: string
  parameters: { name: string; in: string }[]
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } }
  responses: { '200': { content: { 'application/json': { schema: JsonSchema } } } }
}

/** The TypeScript type of a JSON schema, as far as our own document uses the language. */
function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' | ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' | ')
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ')
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'number':
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`
    case 'object':
      return objectType(schema)
    default:
      return 'unknown'
  }
}

function objectType(schema: JsonSchema): string {
  if (schema.properties === undefined)
    return `Record<string, ${typeof schema.additionalProperties === 'object' ? typeOf(schema.additionalProperties) : 'unknown'}>`
  const members = Object.entries(schema.properties).map(([name, member]) => {
    const optional = schema.required?.includes(name) === true ? '' : '?'
    return `${/^\w+$/.test(name) ? name : JSON.stringify(name)}${optional}: ${typeOf(member)}`
  })
  return `{ ${members.join('; ')} }`
}

const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)

/** `src/api/client.ts`: one method an operation, over a `send` that is handed in. */
export function generateClient(): string {
  const types: string[] = []
  const methods: string[] = []
  for (const [path, operations] of Object.entries(openApiDocument().paths))
    for (const [method, one] of Object.entries(operations)) {
      const operation = one as Operation
      const answer = `${capital(operation.operationId)}Answer`
      types.push(`export type ${answer} = ${typeOf(operation.responses['200'].content['application/json'].schema)}`)
      const params = operation.parameters.filter((param) => param.in === 'path').map((param) => param.name)
      const query = operation.parameters.filter((param) => param.in === 'query').map((param) => param.name)
      const body = operation.requestBody?.content['application/json'].schema
      if (body !== undefined) types.push(`export type ${capital(operation.operationId)}Body = ${typeOf(body)}`)
      const args = [
        ...params.map((name) => `${name}: string`),
        ...(body === undefined ? [] : [`body: ${capital(operation.operationId)}Body`]),
        ...(query.length === 0 ? [] : [`query: { ${query.map((name) => `${name}?: string | undefined`).join('; ')} } = {}`]),
      ]
      const url = `\`${path.replace(/\{(\w+)\}/g, (_, name: string) => `\${encodeURIComponent(${name})}`)}\``
      const call = [`'${method.toUpperCase()}'`, url, query.length === 0 ? '{}' : 'query', ...(body === undefined ? [] : ['body'])].join(', ')
      methods.push(`    /** ${operation.summary} */\n    ${operation.operationId}: (${args.join(', ')}) => send(${call}) as Promise<${answer}>,`)
    }
  return `// Generated from the API's document by \`npm run docs\`: do not edit.

/** Sends a request and gives the JSON of its answer; fails with the answer's failure. */
export type Send = (method: string, path: string, query: Readonly<Record<string, string | undefined>>, body?: unknown) => Promise<unknown>

${types.join('\n')}

export type Client = ReturnType<typeof makeClient>

export function makeClient(send: Send) {
  return {
${methods.join('\n')}
  }
}
`
}
