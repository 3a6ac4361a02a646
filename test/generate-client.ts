import { openApiDocument } from '../src/api/openapi.ts'

type JsonSchema = {
  $ref?: string
  description?: string
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  additionalProperties?: JsonSchema | boolean
}
type Content = { content: { 'application/json': { schema: JsonSchema } } }
type Operation = {
  operationId?: string
  summary: string
  parameters: { name: string; in: string; schema: JsonSchema }[]
  requestBody?: Content
  responses: { '200': Content }
}

const longest = 120

/** The TypeScript type of a JSON schema, as far as our own document uses the language; broken over lines where it is long. */
function typeOf(schema: JsonSchema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((one) => typeOf(one, indent)))].join(' | ')
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ')
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
    case 'array': {
      const item = typeOf(schema.items ?? {}, indent)
      return / [|&] /.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
    }
    case 'object':
      return objectType(schema, indent)
    default:
      return 'unknown'
  }
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'` : JSON.stringify(value)
}

function objectType(schema: JsonSchema, indent: string): string {
  if (schema.properties === undefined) {
    return `Record<string, ${typeof schema.additionalProperties === 'object' ? typeOf(schema.additionalProperties, indent) : 'unknown'}>`
  }
  const deeper = `${indent}  `
  const members = Object.entries(schema.properties).map(([name, member]) => {
    const optional = schema.required?.includes(name) === true ? '' : '?'
    const written = `${/^\w+$/.test(name) ? name : literal(name)}${optional}: ${typeOf(member, deeper)}`
    return { written, about: member.$ref === undefined ? member.description : undefined }
  })
  const line = `{ ${members.map((one) => one.written).join('; ')} }`
  if (line.length + indent.length <= longest && !line.includes('\n') && members.every((one) => one.about === undefined)) return line
  return `{\n${members.map(({ written, about }) => `${comment(about, deeper)}${deeper}${written}\n`).join('')}${indent}}`
}

const comment = (about: string | undefined, indent: string): string => (about === undefined ? '' : `${indent}/** ${about} */\n`)

const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)

/** `src/api/client.ts`: the document's named types, and one method an operation, over a `send` that is handed in. */
export function generateClient(): string {
  const { paths, components } = openApiDocument()
  const types = Object.entries(components.schemas as Record<string, JsonSchema>)
    .filter(([name]) => name !== 'Problem')
    .map(([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${typeOf(schema, '')}\n`)
  const methods: string[] = []
  for (const [path, operations] of Object.entries(paths))
    for (const [method, one] of Object.entries(operations)) {
      const operation = one as Operation
      if (operation.operationId === undefined) continue
      const name = capital(operation.operationId)
      types.push(`export type ${name}Answer = ${typeOf(operation.responses['200'].content['application/json'].schema, '')}\n`)
      const body = operation.requestBody?.content['application/json'].schema
      if (body !== undefined) types.push(`export type ${name}Body = ${typeOf(body, '')}\n`)
      methods.push(methodOf(operation, method, path, name))
    }
  return `// Generated from the API's document by \`npm run docs\`: do not edit.

/** What a query may hold; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

/** Sends a request and gives the JSON of its answer; fails with the answer's failure. */
export type Send = (method: string, path: string, query: Query, body?: unknown) => Promise<unknown>

${types.join('\n')}
export type Client = ReturnType<typeof makeClient>

export function makeClient(send: Send) {
  return {
${methods.join('\n')}
  }
}
`
}

function methodOf(operation: Operation, method: string, path: string, name: string): string {
  const params = operation.parameters.filter((param) => param.in === 'path').map((param) => param.name)
  const query = operation.parameters.filter((param) => param.in === 'query')
  const hasBody = operation.requestBody !== undefined
  const args = [
    ...params.map((param) => `${param}: string`),
    ...(hasBody ? [`body: ${name}Body`] : []),
    ...(query.length === 0 ? [] : [`query: { ${query.map((one) => `${one.name}?: ${typeOf(one.schema, '')} | undefined`).join('; ')} } = {}`]),
  ]
  const url = params.length === 0 ? `'${path}'` : `\`${path.replace(/\{(\w+)\}/g, (_, param: string) => `\${encodeURIComponent(${param})}`)}\``
  const call = [`'${method.toUpperCase()}'`, url, query.length === 0 ? '{}' : 'query', ...(hasBody ? ['body'] : [])].join(', ')
  return `    /** ${operation.summary} */\n    ${operation.operationId}: (${args.join(', ')}) =>\n      send(${call}) as Promise<${name}Answer>,`
}
