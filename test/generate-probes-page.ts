import { z } from 'zod'
import { probeFrame } from '../src/model/config/probe.ts'
import { probes } from '../src/probes/registry.ts'

type JsonSchema = { type?: string | string[]; title?: string; description?: string; default?: unknown; const?: unknown; enum?: unknown[]; minimum?: number; maximum?: number; properties?: Record<string, JsonSchema>; required?: string[]; items?: JsonSchema; anyOf?: JsonSchema[]; additionalProperties?: JsonSchema | boolean }

/** `docs/reference/probes.md`: each kind with its fields; the README of its folder says more. */
export function probesPage(): string {
  const sections = probes.map((probe) => {
    const schema = z.toJSONSchema(probe.schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as JsonSchema
    const rows = [...fields(schema, '')].map((row) => `| \`${row.path}\` | ${cell(row.type)} | ${cell(row.value)} | ${cell(row.about)} |`)
    return `## ${probe.kind}\n\n${schema.description ?? ''}\n\n| Field | Type | Default | Meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# Probes

Generated from \`src/probes/\` (\`npm run docs\`): do not edit. What every probe has (${Object.keys(probeFrame).map((field) => `\`${field}\``).join(', ')}) is in [configuration.md](configuration.md).

${sections.join('\n')}`
}

function* fields(schema: JsonSchema, path: string): Generator<{ path: string; type: string; value: string; about: string }> {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`
    const value = member.default === undefined ? (schema.required?.includes(name) === true ? '*required*' : '') : `\`${JSON.stringify(member.default)}\``
    yield { path: at, type: typeOf(member), value, about: member.description ?? '' }
    if (member.title !== 'duration' && member.title !== 'secretRef') yield* fields(member, at)
  }
  for (const branch of schema.anyOf ?? []) yield* fields(branch, path)
}

function typeOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(', ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (schema.type === 'object') return typeof schema.additionalProperties === 'object' ? `mapping to ${typeOf(schema.additionalProperties)}` : 'mapping'
  return { integer: 'whole number', number: 'number', string: 'text', boolean: '`true`, `false`' }[String(schema.type)] ?? 'anything'
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')
}
