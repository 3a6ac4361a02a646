import { z } from 'zod'
import type { Schemas } from './parse.ts'

/** What of JSON Schema zod writes for our schemas. */
type JsonSchema = {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly propertyNames?: JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

type Row = { readonly path: string; readonly type: string; readonly default: string; readonly meaning: string }

const opening = `# Configuration

Generated from the schemas in \`src/model/config/\` (\`npm run docs\`): do not edit.

Documents are YAML, read by the rules of YAML 1.2 (\`yes\` and \`on\` are text), and may stand in one file, with \`---\` between them.
\`<name>\` stands for a name that you choose. A field without a default that is not marked *required* may be left out.

- **name**: lower-case letters, digits and hyphens, with a letter or digit at both ends; at most 63 characters.
- **duration**: \`500ms\`, \`60s\`, \`10m\`, \`1h30m\`, \`7d\`; at most 365 days.
- **glob**: \`*\` stands for any characters but \`/\`, \`?\` for one of them, \`**\` for any.
- **probe**: as in a Module’s \`spec.probes\`.
- **secretRef**: a mapping \`{ secretRef: "<provider>:<path>#<key>" }\`: where a value is. The value itself is never written down.
- \`\${environment}\` and the environment's \`variables\` are substituted in \`spec.source.path\` and in the texts of probes, nowhere else; \`$\${\` stands for \`\${\`.
`

/** The reference of every configuration document, as Markdown: each field with its type, its default and its meaning. The same schemas give the same text. */
export function configurationReference(schemas: Schemas): string {
  const sections = Object.entries(schemas).map(([kind, schema]) => {
    const json = z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as JsonSchema
    // A probe is told once.
    const rows = [...fields(json, '', kind === 'Module' ? simple : [...simple, 'probe'])]
    const table = rows.map((row) => `| \`${row.path}\` | ${cell(row.type)} | ${cell(row.default)} | ${cell(row.meaning)} |`)
    return `## ${kind}\n\n${json.description ?? ''}\n\n\`apiVersion: plumbline.dev/v1alpha1\`, \`kind: ${kind}\`\n\n| Field | Type | Default | Meaning |\n|---|---|---|---|\n${table.join('\n')}\n`
  })
  return [opening, ...sections].join('\n')
}

/** A field's row, and those of what is in it. */
function* fields(schema: JsonSchema, path: string, leaves: readonly string[], required = schema.required ?? []): Generator<Row> {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`
    const shown = member.default === undefined ? (required.includes(name) ? '*required*' : '') : showDefault(member.default)
    const isFrame = at === 'spec' || at === 'metadata' || at === 'apiVersion' || at === 'kind'
    if (!isFrame) yield { path: at, type: typeOf(member, leaves), default: shown, meaning: member.description ?? '' }
    yield* inside(member, at, leaves)
  }
}

function* inside(schema: JsonSchema, path: string, leaves: readonly string[]): Generator<Row> {
  if (isLeaf(schema, leaves)) return
  yield* fields(schema, path, leaves)
  // Of the fields of a union, some exclude others: the row of the union says which.
  for (const branch of schema.anyOf ?? []) yield* isLeaf(branch, leaves) ? [] : fields(branch, path, leaves, [])
  if (schema.items !== undefined) yield* inside(schema.items, `${path}[]`, leaves)
  if (typeof schema.additionalProperties === 'object') yield* inside(schema.additionalProperties, `${path}.<name>`, leaves)
}

/** What a word of the opening explains needs no rows of its own. */
const simple = ['secretRef', 'duration'] as const

function isLeaf(schema: JsonSchema, leaves: readonly string[]): boolean {
  return schema.title !== undefined && leaves.includes(schema.title)
}

function typeOf(schema: JsonSchema, leaves: readonly string[]): string {
  if (isLeaf(schema, leaves)) return schema.title ?? ''
  if (schema.const !== undefined) return code(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => code(value)).join(', ')
  if (schema.anyOf !== undefined) {
    const branches = schema.anyOf.map((branch) => (branch.properties === undefined || isLeaf(branch, leaves) ? typeOf(branch, leaves) : `\`${Object.keys(branch.properties).join('`, `')}\``))
    const areFields = schema.anyOf.every((branch) => branch.properties !== undefined)
    return areFields ? `a mapping, with ${branches.join(' or ')}` : branches.join(' or ')
  }
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {}, leaves)}`
  if (schema.type === 'object') {
    return typeof schema.additionalProperties === 'object' ? `mapping of ${keyName(schema, leaves)} to ${typeOf(schema.additionalProperties, leaves)}` : 'mapping'
  }
  if (schema.type === 'integer' || schema.type === 'number') return range(schema, schema.type === 'integer' ? 'whole number' : 'number')
  if (schema.type === 'boolean') return '`true`, `false`'
  if (schema.type === 'string') return schema.title ?? (schema.pattern?.startsWith('^[a-z0-9](') === true ? 'name' : 'text')
  return 'anything'
}

function keyName({ propertyNames }: JsonSchema, leaves: readonly string[]): string {
  if (propertyNames?.enum !== undefined) return propertyNames.enum.map((value) => code(value)).join(', ')
  return propertyNames === undefined ? 'text' : typeOf(propertyNames, leaves)
}

/** zod bounds every whole number by what JavaScript can hold; that is no news. */
function range({ minimum, maximum }: JsonSchema, type: string): string {
  const isBound = (value: number | undefined): value is number => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER
  if (isBound(minimum) && isBound(maximum)) return `${type}, ${minimum} to ${maximum}`
  if (isBound(minimum)) return `${type}, at least ${minimum}`
  return isBound(maximum) ? `${type}, at most ${maximum}` : type
}

function showDefault(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return value.map((item) => code(item)).join(', ')
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  if (isEmpty) return Array.isArray(value) ? 'none' : ''
  return typeof value === 'object' ? '' : code(value) // a default of a whole mapping says what its fields say
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')
}
