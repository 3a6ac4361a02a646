import { YAMLException, parseEvents } from 'js-yaml'
import { Failure } from './failure.ts'
import type { Json } from './json.ts'
import { buildDocuments } from './yaml-build.ts'
import type { YamlRules } from './yaml-scalars.ts'

/** What a file may cost, whoever wrote it. */
export type YamlLimits = {
  readonly bytes: number
  /** Of collections in collections. */
  readonly depth: number
  readonly documents: number
  /** Aliases (`*name`) in a file. */
  readonly aliases: number
  /** What aliases copy, in all: a node counts 1, and 1 more for every 32 characters of its text. */
  readonly copied: number
}

export const yamlLimits: YamlLimits = { bytes: 8 * 1024 * 1024, depth: 100, documents: 10_000, aliases: 10_000, copied: 250_000 }

export type YamlDocument = {
  readonly value: Json
  /** 1-based: where the document's content begins. */
  readonly line: number
  /** Its place among all documents of the file, empty ones counted, from 0. */
  readonly index: number
}

export type YamlSource = {
  /** For error messages: the subject is `<file>:<line>:<column>`. */
  readonly file: string
  readonly rules: YamlRules
  readonly limits?: YamlLimits
}

/**
 * The documents of a YAML (or JSON) file as JSON values; empty documents are left out. Values are trees: what an alias names is copied.
 * Failures: `yaml-invalid`, `yaml-too-large`, `yaml-too-deep`, `yaml-aliases`, each with the place in `subject`.
 */
export function readYaml(bytes: Uint8Array, source: YamlSource): YamlDocument[] {
  const limits = source.limits ?? yamlLimits
  const text = decodeYaml(bytes, source.file, limits)
  const events = parseYaml(text, source.file, limits)
  return buildDocuments(events, text, { file: source.file, rules: source.rules, limits })
}

/** The text of a file. A byte order mark is dropped; what is not UTF-8 is refused. */
function decodeYaml(bytes: Uint8Array, file: string, limits: YamlLimits = yamlLimits): string {
  if (bytes.byteLength > limits.bytes) {
    throw new Failure({
      code: 'yaml-too-large',
      subject: file,
      message: `${file} has ${bytes.byteLength} bytes; ${limits.bytes} are read at most`,
      hint: 'Split the file, or keep large data out of manifests.',
      fields: { bytes: bytes.byteLength, limit: limits.bytes },
    })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Failure({ code: 'yaml-invalid', subject: file, message: `${file} is not UTF-8 text`, hint: 'Save it as UTF-8.', cause })
  }
}

/** js-yaml's events, with its errors as Failures. */
export function parseYaml(text: string, file: string, limits: YamlLimits = yamlLimits): ReturnType<typeof parseEvents> {
  try {
    return parseEvents(text, { maxDepth: limits.depth })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const place = error.mark === undefined ? file : `${file}:${error.mark.line + 1}:${error.mark.column + 1}`
    // The parser has no codes; a test holds this text against the installed version.
    const tooDeep = error.reason.startsWith('nesting exceeded')
    throw new Failure({
      code: tooDeep ? 'yaml-too-deep' : 'yaml-invalid',
      subject: place,
      message: tooDeep ? `collections are nested more than ${limits.depth} deep` : `not valid YAML: ${error.reason}`,
      hint: tooDeep ? 'Nest less.' : 'Look at that line and column, and at what stands just before: there the reader gave up.',
      fields: { file, ...(error.mark === undefined ? {} : { line: error.mark.line + 1, column: error.mark.column + 1 }) },
      cause: error,
    })
  }
}
