import { readFileSync } from 'node:fs'
import type { JsonObject } from '#lib/json.ts'
import type { Schema } from '#playground/contract.ts'
import { descriptionsOf, type Descriptions } from './descriptions.ts'
import { objectMeta } from './object-meta.ts'
import { withDefaults } from './structural-defaults.ts'

type Definition = JsonObject & { $ref?: string; properties?: { [name: string]: Definition }; items?: Definition; additionalProperties?: Definition | boolean }

type Document = { readonly kinds: Readonly<Record<string, string>>; readonly definitions: Readonly<Record<string, Definition>> }

/** The schemas of the built-in kinds (`definitions.json`, made by `generate.ts`), each resolved when it is first asked for and then shared. */
export class BuiltinSchemas {
  readonly #document: Document
  readonly #roots = new Map<string, Schema>()
  readonly #resolved = new Map<string, Schema>([['ObjectMeta', objectMeta]])
  readonly #names = new WeakMap<Schema, string>([[objectMeta, 'ObjectMeta']])

  constructor(document: Document) {
    this.#document = document
  }

  /**
   * The schema of a kind: `schemaOf('apps/v1', 'Deployment')`. Its `default` is the kind's Go value with nothing in it: its structs are there, its
   * required lists are null. That is what a new object is compared with to tell what its creator owns.
   */
  schemaOf(apiVersion: string, kind: string): Schema | undefined {
    const key = `${apiVersion}/${kind}`
    const known = this.#roots.get(key)
    const name = Object.hasOwn(this.#document.kinds, key) ? this.#document.kinds[key] : undefined
    if (known !== undefined || name === undefined) return known
    const definition = this.#definition(name)
    const root = { ...definition, default: withDefaults({}, definition) }
    this.#names.set(root, name)
    this.#roots.set(key, root)
    return root
  }

  /**
   * The same with descriptions, for `kubectl explain`: a new value at every call, made by reading a hundred small files, so ask for it only where a
   * document is published, and keep that.
   */
  describedSchemaOf(apiVersion: string, kind: string): Schema | undefined {
    const schema = this.schemaOf(apiVersion, kind)
    return schema === undefined ? undefined : this.#described(schema, new Map())
  }

  #described(schema: Schema, seen: Map<string, Descriptions>): Schema {
    const name = this.#names.get(schema)
    const model = name === 'ObjectMeta' ? 'V1ObjectMeta' : name
    if (model !== undefined && !seen.has(model)) seen.set(model, descriptionsOf(model))
    const texts = model === undefined ? undefined : seen.get(model)
    const copy = { ...schema }
    const own = texts?.get('')
    if (own !== undefined) copy.description = own
    if (schema.properties !== undefined) {
      copy.properties = Object.fromEntries(
        Object.entries(schema.properties).map(([field, its]) => {
          const text = texts?.get(field)
          const described = this.#described(its, seen)
          return [field, text === undefined ? described : { ...described, description: text }]
        }),
      )
    }
    if (schema.items !== undefined) copy.items = this.#described(schema.items, seen)
    if (typeof schema.additionalProperties === 'object') copy.additionalProperties = this.#described(schema.additionalProperties, seen)
    return copy
  }

  /** `apiVersion` and kind of all there are. */
  kinds(): { readonly apiVersion: string; readonly kind: string }[] {
    return Object.keys(this.#document.kinds).map((key) => ({ apiVersion: key.slice(0, key.lastIndexOf('/')), kind: key.slice(key.lastIndexOf('/') + 1) }))
  }

  /** The name of the Go type that a schema describes, as the server's decoding errors say it: `DeploymentSpec`. */
  typeName(schema: Schema): string | undefined {
    return this.#names.get(schema)?.replace(/^(Core|Rbac|Discovery|Admissionregistration|Apiextensions)?V\d/, '')
  }

  #definition(name: string): Schema {
    const known = this.#resolved.get(name)
    if (known !== undefined) return known
    const definition = this.#document.definitions[name]
    if (definition === undefined) throw new Error(`definitions.json has no ${name}`)
    const schema: Schema = {}
    // Set before its fields are resolved, so that a definition may hold itself.
    this.#resolved.set(name, schema)
    this.#names.set(schema, name)
    return Object.assign(schema, this.#inline(definition))
  }

  /** A reference that has something beside it, a default, is a schema of its own, which shares what is inside. */
  #resolve({ $ref, ...beside }: Definition): Schema {
    if ($ref === undefined) return this.#inline(beside)
    const schema = this.#definition($ref)
    if (Object.keys(beside).length === 0) return schema
    const copy = { ...schema, ...(beside as Schema) }
    const name = this.#names.get(schema)
    if (name !== undefined) this.#names.set(copy, name)
    return copy
  }

  #inline(definition: Definition): Schema {
    const { properties, items, additionalProperties, ...rest } = definition
    const schema = rest as Schema
    if (properties !== undefined) schema.properties = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, this.#resolve(field)]))
    if (items !== undefined) schema.items = this.#resolve(items)
    if (additionalProperties !== undefined) schema.additionalProperties = typeof additionalProperties === 'boolean' ? additionalProperties : this.#resolve(additionalProperties)
    return schema
  }
}

/** The built-in kinds of Kubernetes 1.36. Reads one file of a hundred kilobytes. */
export const builtinSchemas = new BuiltinSchemas(JSON.parse(readFileSync(new URL('definitions.json', import.meta.url), 'utf8')) as Document)
