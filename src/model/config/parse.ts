import { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { didYouMean } from '#lib/nearest.ts'
import { locateYaml } from '#lib/yaml-locate.ts'
import type { YamlPath } from '#lib/yaml-locate.ts'
import { readYaml } from '#lib/yaml.ts'
import type { YamlDocument } from '#lib/yaml.ts'
import { environmentSchema } from './environment.ts'
import type { Environment } from './environment.ts'
import { complaintsOf, showPath } from './issues.ts'
import type { Complaint } from './issues.ts'
import { moduleSchema } from './module.ts'
import type { Module } from './module.ts'
import { operationSchema } from './operation.ts'
import type { Operation } from './operation.ts'
import { probeSetSchema } from './probe-set.ts'
import type { ProbeSet } from './probe-set.ts'
import { workspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** The schema of every kind of document, for the probe kinds that are there. */
export type Schemas = {
  readonly Workspace: typeof workspace
  readonly Environment: ReturnType<typeof environmentSchema>
  readonly ProbeSet: ReturnType<typeof probeSetSchema>
  readonly Operation: ReturnType<typeof operationSchema>
  readonly Module: ReturnType<typeof moduleSchema>
}
type Kind = keyof Schemas

/** `probes`: the schema of each probe kind, by its id. */
export function configurationSchemas(probes: Readonly<Record<string, z.ZodType>>): Schemas {
  return { Workspace: workspace, Environment: environmentSchema(probes), ProbeSet: probeSetSchema(probes), Operation: operationSchema(probes), Module: moduleSchema(probes) }
}

export type ConfigDocument = (
  | { readonly kind: 'Workspace'; readonly config: Workspace }
  | { readonly kind: 'Environment'; readonly config: Environment }
  | { readonly kind: 'ProbeSet'; readonly config: ProbeSet }
  | { readonly kind: 'Operation'; readonly config: Operation }
  | { readonly kind: 'Module'; readonly config: Module }
) & { /** 1-based. */ readonly line: number; /** A problem of this document, placed at a path of it. */ problem(complaint: Complaint): FailureJson }

export type ParsedFile = {
  /** What is whole. */
  readonly documents: readonly ConfigDocument[]
  /** What is not: the kind and the name, as far as they can be told. An entry without both stands for the whole file. */
  readonly broken: readonly { readonly kind?: Kind; readonly name?: string }[]
  /** Every problem of the file, in its order, with the codes of `lib/yaml.ts` or `configuration-invalid`. `fields` has `repository`, `file`, `line`, `column`, `path` and `expected`. */
  readonly problems: readonly FailureJson[]
}

/** A file of a repository; without one, a file beside the person who reads the messages. */
export type Source = { readonly repository?: string; readonly file: string }

/** How messages name a file: `<repository>/<path>`. */
export function shownFile(source: Source): string {
  return source.repository === undefined ? source.file : `${source.repository}/${source.file}`
}

/** A file beyond this is no configuration that a person wrote. */
const maxBytes = 1024 * 1024
const maxProblems = 100

/**
 * Reads a configuration file by the rules of YAML 1.2. It does not throw for what a file holds: all that is wrong comes back, and beside it
 * the documents that are right.
 */
export function parseConfiguration(bytes: Uint8Array, source: Source, schemas: Schemas): ParsedFile {
  let documents: YamlDocument[]
  const file = shownFile(source)
  try {
    documents = readYaml(bytes, { file, rules: '1.2', limits: { bytes: maxBytes, depth: 50, documents: 1_000, aliases: 100, copied: 10_000 } })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { documents: [], broken: [{}], problems: [{ ...error.toJSON(), fields: { ...error.fields, ...source } }] }
  }
  const good: ConfigDocument[] = []
  const broken: ParsedFile['broken'][number][] = []
  const problems: FailureJson[] = []
  for (const document of documents) {
    const place = placer(bytes, source, document)
    const result = parseDocument(document.value, schemas)
    if ('config' in result) good.push({ ...result, line: document.line, problem: place })
    else {
      broken.push({ ...(result.kind === undefined ? {} : { kind: result.kind }), ...(result.name === undefined ? {} : { name: result.name }) })
      problems.push(...result.complaints.slice(0, Math.max(0, maxProblems - problems.length)).map(place))
    }
  }
  return { documents: good, broken, problems: problems.sort((a, b) => Number(a.fields?.['line'] ?? 0) - Number(b.fields?.['line'] ?? 0)) }
}

type Refused = { kind: Kind | undefined; name: string | undefined; complaints: Complaint[] }
type Accepted = { kind: 'Workspace'; config: Workspace } | { kind: 'Environment'; config: Environment } | { kind: 'ProbeSet'; config: ProbeSet } | { kind: 'Module'; config: Module }

function parseDocument(value: Json, schemas: Schemas): Accepted | Refused {
  const refused = (complaint: Complaint): Refused => ({ kind: undefined, name: undefined, complaints: [complaint] })
  if (!isObject(value)) return refused({ path: [], at: 'value', what: 'expected a document with apiVersion, kind, metadata and spec' })
  const { apiVersion, kind } = value
  const kinds = Object.keys(schemas)
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith('plumbline.dev/')) {
    const path = apiVersion === undefined ? [] : ['apiVersion']
    return refused({ path, at: 'value', what: 'not a Plumbline document: expected apiVersion plumbline.dev/v1alpha1', hint: 'Manifests belong into the folder of a module’s source.' })
  }
  if (typeof kind !== 'string' || !kinds.includes(kind)) {
    const hint = typeof kind === 'string' ? didYouMean(kind, kinds) : {}
    return refused({ path: kind === undefined ? [] : ['kind'], at: 'value', what: kind === undefined ? 'kind is missing' : 'unknown kind', expected: `one of ${kinds.join(', ')}`, ...hint })
  }
  const schema = schemas[kind as Kind]
  const parsed = schema.safeParse(value)
  if (parsed.success) return { kind, config: parsed.data } as Accepted
  const name = isObject(value['metadata']) ? value['metadata']['name'] : undefined
  return { kind: kind as Kind, name: typeof name === 'string' ? name : undefined, complaints: complaintsOf(parsed.error.issues, schema, value) }
}

/** Makes problems of a document out of complaints; the text is read again only when there is one. */
function placer(bytes: Uint8Array, source: Source, document: YamlDocument): (complaint: Complaint) => FailureJson {
  let text: string | undefined
  return (complaint) => {
    text ??= new TextDecoder().decode(bytes)
    const { line, column } = locateYaml(text, document.index, complaint.path as YamlPath, complaint.at)
    const path = showPath(complaint.path)
    return new Failure({
      code: 'configuration-invalid',
      subject: `${shownFile(source)}:${line}:${column}`,
      message: path === '' ? complaint.what : `${path}: ${complaint.what}${complaint.at === 'key' && complaint.expected !== undefined ? `, expected ${complaint.expected}` : ''}`,
      ...(complaint.hint === undefined ? {} : { hint: complaint.hint }),
      fields: { ...source, line, column, path, ...(complaint.expected === undefined ? {} : { expected: complaint.expected }) },
    }).toJSON()
  }
}
