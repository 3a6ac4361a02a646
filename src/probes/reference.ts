import { z } from 'zod'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { probes } from './registry.ts'

/** The reference of the probes' configuration, Markdown, from their schemas alone. */
export function probeReference(): string {
  const head = [
    '# Probes',
    '',
    'A module’s `spec.probes` is a list of `{ name, within, every, timeout, <kind>: {…} }` with exactly one kind. `${environment}` and the environment’s variables are substituted in every text.',
    'Durations are written `500ms`, `60s`, `10m`, `1h30m`.',
  ]
  return `${[...head, ...probes.toSorted((a, b) => (a.kind < b.kind ? -1 : 1)).flatMap((probe) => section(probe.kind, probe.schema))].join('\n')}\n`
}

function section(kind: string, schema: z.ZodType): string[] {
  const document = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonObject
  return ['', `## \`${kind}\``, '', text(document['description']), '', '| Field | Type | Default | |', '|---|---|---|---|', ...rows(document, '')]
}

function rows(schema: JsonObject, prefix: string): string[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.entries(isObject(schema['properties']) ? schema['properties'] : {}).flatMap(([name, field]) => {
    if (!isObject(field)) return []
    const path = `${prefix}${name}`
    const fallback = required.includes(name) ? 'required' : field['default'] === undefined || isObject(field['default']) ? '' : `\`${JSON.stringify(field['default'])}\``
    const inside = [field, ...alternatives(field)].flatMap((one) => rows(one, `${path}.`))
    return [`| \`${path}\` | ${cell(typeOf(field))} | ${fallback} | ${cell(text(field['description']))} |`, ...inside]
  })
}

function alternatives(schema: JsonObject): JsonObject[] {
  return Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isObject) : []
}

function typeOf(schema: JsonObject): string {
  if (schema['title'] === 'duration') return 'duration'
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${String(value)}\``).join(', ')
  const branches = alternatives(schema)
  if (branches.length > 0) return [...new Set(branches.map(typeOf))].join(' or ')
  if (Array.isArray(schema['type'])) return schema['type'].map((type) => typeOf({ type })).join(' or ')
  if (schema['type'] === 'array') return `list of ${isObject(schema['items']) ? typeOf(schema['items']) : 'anything'}`
  const names: Record<string, string> = { string: 'text', number: 'number', integer: 'whole number', boolean: 'true or false', null: 'null', object: isObject(schema['properties']) ? 'mapping' : 'mapping of texts' }
  return names[text(schema['type'])] ?? 'anything'
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** A bar would end the cell. */
function cell(written: string): string {
  return written.replaceAll('|', '\\|')
}
