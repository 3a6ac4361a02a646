import { EVENT_ID, SCALAR_STYLE, getScalarValue } from 'js-yaml'
import type { Event, ScalarEvent } from 'js-yaml'
import { Failure } from './failure.ts'
import { isObject } from './json.ts'
import type { Json, JsonObject } from './json.ts'
import { offsetOf, places } from './yaml-places.ts'
import type { Place } from './yaml-places.ts'
import { isUnusable, keyText, resolveScalar, resolveTagged } from './yaml-scalars.ts'
import type { Scalar, YamlRules } from './yaml-scalars.ts'
import type { YamlDocument, YamlLimits } from './yaml.ts'

export type BuildOptions = { readonly file: string; readonly rules: YamlRules; readonly limits: YamlLimits }

/** A collection (or a document) that is still open. */
type Frame = {
  readonly kind: 'document' | 'sequence' | 'mapping'
  readonly value: Json[] | JsonObject
  readonly anchor: string | undefined
  /** Nodes so far, see `YamlLimits.copied`. */
  weight: number
  /** Of the content's first node; for documents. */
  start: number
  key: string | undefined
  isMerge: boolean
  /** Keys that stand here through `<<`, and those that were written out before one. */
  merged: Set<string> | undefined
}

type Anchored = { readonly value: Json; readonly weight: number; readonly isOpen: boolean }

/** Builds JSON values from parser events, without an AST between. Failures: `yaml-invalid`, `yaml-aliases`. */
export function buildDocuments(events: readonly Event[], text: string, options: BuildOptions): YamlDocument[] {
  const builder = new Builder(text, options)
  for (const event of events) builder.take(event)
  return builder.documents
}

class Builder {
  readonly documents: YamlDocument[] = []
  readonly #text: string
  readonly #options: BuildOptions
  readonly #place: (offset: number) => Place
  #frames: Frame[] = []
  #anchors = new Map<string, Anchored>()
  #tagHandles = new Map<string, string>()
  #offset = 0
  #started = 0
  #aliases = 0
  #copied = 0

  constructor(text: string, options: BuildOptions) {
    this.#text = text
    this.#options = options
    this.#place = places(text)
  }

  take(event: Event): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT: {
        this.#started += 1
        if (this.#started > this.#options.limits.documents) this.#fail('yaml-too-large', `more than ${this.#options.limits.documents} documents in one file`)
        this.#anchors = new Map()
        this.#tagHandles = new Map(event.directives.flatMap((directive) => (directive.kind === 'tag' ? [[directive.handle, directive.prefix]] : [])))
        return this.#open('document', [], undefined)
      }
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        this.#moveTo(offsetOf(event))
        const anchor = event.anchorStart < 0 ? undefined : this.#text.slice(event.anchorStart, event.anchorEnd)
        const kind = event.type === EVENT_ID.MAPPING ? 'mapping' : 'sequence'
        const parent = this.#frames.at(-1)
        if (parent?.kind === 'mapping' && parent.key === undefined && !parent.isMerge) this.#fail('yaml-invalid', 'a mapping key must be a scalar')
        const value = kind === 'mapping' ? {} : []
        if (anchor !== undefined) this.#anchors.set(anchor, { value, weight: 0, isOpen: true })
        return this.#open(kind, value, anchor)
      }
      case EVENT_ID.SCALAR:
        return this.#scalar(event)
      case EVENT_ID.ALIAS:
        this.#moveTo(offsetOf(event))
        return this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd))
      case EVENT_ID.POP:
        return this.#close()
    }
  }

  #open(kind: Frame['kind'], value: Frame['value'], anchor: string | undefined): void {
    this.#frames.push({ kind, value, anchor, weight: 1, start: this.#offset, key: undefined, isMerge: false, merged: undefined })
  }

  #close(): void {
    const frame = this.#frames.pop()
    if (frame === undefined) return
    if (frame.kind === 'document') {
      const [value] = frame.value as Json[]
      if (value !== undefined && value !== null) this.documents.push({ value, line: this.#place(frame.start).line, index: this.#started - 1 })
      return
    }
    if (frame.anchor !== undefined) this.#anchors.set(frame.anchor, { value: frame.value, weight: frame.weight, isOpen: false })
    this.#add(frame.value, frame.weight)
  }

  #scalar(event: ScalarEvent): void {
    this.#moveTo(offsetOf(event))
    const text = getScalarValue(this.#text, event)
    const parent = this.#frames.at(-1)
    const isPlain = event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0
    const isKey = parent?.kind === 'mapping' && parent.key === undefined && !parent.isMerge
    if (isKey && isPlain && text === '<<') {
      parent.isMerge = true
      return
    }
    const value = this.#resolve(event, text)
    const weight = 1 + (text.length >> 5)
    if (event.anchorStart >= 0) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), { value, weight, isOpen: false })
    if (isKey) return this.#key(parent, value, text)
    this.#add(value, weight)
  }

  #resolve(event: ScalarEvent, text: string): Scalar {
    const tag = event.tagStart < 0 ? undefined : this.#tagName(this.#text.slice(event.tagStart, event.tagEnd))
    if (tag === undefined && event.style !== SCALAR_STYLE.PLAIN) return text
    const core = tag?.startsWith('tag:yaml.org,2002:') ? tag.slice('tag:yaml.org,2002:'.length) : undefined
    if (core === 'binary') this.#fail('yaml-invalid', '!!binary has no JSON value: write the base64 text without the tag')
    const known = core !== undefined && ['str', 'int', 'float', 'bool', 'null', 'timestamp'].includes(core)
    if (tag !== undefined && !known) return text // tags of other people's tools are dropped, as go-yaml does
    const value = known ? resolveTagged(core, text, this.#options.rules) : resolveScalar(text, this.#options.rules)
    if (value === undefined) this.#fail('yaml-invalid', `“${text.slice(0, 40)}” cannot be read as !!${core}`)
    if (isUnusable(value)) this.#fail('yaml-invalid', value.unusable)
    return value
  }

  /** The full name of a tag as written: `!!int`, `!handle!name`, `!<verbatim>`. */
  #tagName(written: string): string {
    if (written === '!') return 'tag:yaml.org,2002:str'
    if (written.startsWith('!<')) return written.slice(2, -1)
    const end = written.indexOf('!', 1)
    const handle = end === -1 ? '!' : written.slice(0, end + 1)
    const prefix = this.#tagHandles.get(handle) ?? (handle === '!!' ? 'tag:yaml.org,2002:' : handle)
    return prefix + written.slice(handle.length)
  }

  #key(frame: Frame, key: Scalar, written: string): void {
    const name = keyText(key, written)
    if (name === undefined) this.#fail('yaml-invalid', 'a mapping key must not be null')
    // An own `__proto__` turns into a prototype at the first careless copy, and nobody needs it.
    if (name === '__proto__') this.#fail('yaml-invalid', '__proto__ is not allowed as a mapping key')
    if (Object.hasOwn(frame.value, name) && frame.merged?.has(name) !== true) this.#fail('yaml-invalid', `the key “${name.slice(0, 100)}” is there twice`)
    frame.key = name
  }

  #alias(name: string): void {
    const { limits } = this.#options
    const anchored = this.#anchors.get(name)
    if (anchored === undefined) this.#fail('yaml-invalid', `no anchor &${name} stands before the alias *${name}`)
    if (anchored.isOpen) this.#fail('yaml-invalid', `the anchor &${name} contains itself`)
    this.#aliases += 1
    this.#copied += anchored.weight
    if (this.#aliases > limits.aliases || this.#copied > limits.copied) {
      this.#fail('yaml-aliases', this.#aliases > limits.aliases ? `more than ${limits.aliases} aliases` : `aliases copy more than ${limits.copied} nodes`)
    }
    const parent = this.#frames.at(-1)
    if (parent?.kind === 'mapping' && parent.key === undefined && !parent.isMerge) {
      if (typeof anchored.value === 'object' && anchored.value !== null) this.#fail('yaml-invalid', 'a mapping key must be a scalar')
      return this.#key(parent, anchored.value, String(anchored.value))
    }
    this.#add(structuredClone(anchored.value), anchored.weight)
  }

  #add(value: Json, weight: number): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return
    frame.weight += weight
    if (frame.isMerge) return this.#merge(frame, value)
    if (frame.key === undefined) {
      ;(frame.value as Json[]).push(value)
      return
    }
    const target = frame.value as JsonObject
    target[frame.key] = value
    frame.merged?.delete(frame.key)
    frame.key = undefined
  }

  /**
   * `<<: *one` or `<<: [*one, *other]`: keys that are written out win over merged ones, and earlier sources over later ones. A merge that
   * stands after a key which it also brings is refused: go-yaml v2 (kubectl) and v3 (kustomize) read it differently.
   */
  #merge(frame: Frame, value: Json): void {
    frame.isMerge = false
    if (frame.merged !== undefined) this.#fail('yaml-invalid', 'the key “<<” is there twice')
    const sources = Array.isArray(value) ? value : [value]
    const target = frame.value as JsonObject
    const merged = new Set<string>()
    for (const source of sources) {
      if (!isObject(source)) this.#fail('yaml-invalid', '“<<” takes a mapping, or a list of mappings')
      for (const [key, member] of Object.entries(source)) {
        if (merged.has(key)) continue
        if (Object.hasOwn(target, key)) this.#fail('yaml-invalid', `“<<” brings “${key.slice(0, 100)}”, which stands above it: put “<<” first`)
        target[key] = member
        merged.add(key)
      }
    }
    frame.merged = merged
  }

  #moveTo(offset: number | undefined): void {
    if (offset === undefined) return
    this.#offset = offset
    // The first node of a document tells where the document begins; a comment or a blank line before it is nobody's.
    const frame = this.#frames.at(-1)
    if (frame?.kind === 'document') frame.start = offset
  }

  #fail(code: 'yaml-invalid' | 'yaml-too-large' | 'yaml-aliases', message: string): never {
    const { file } = this.#options
    const { line, column } = this.#place(this.#offset)
    throw new Failure({ code, subject: `${file}:${line}:${column}`, message, hint: hints[code], fields: { file, line, column } })
  }
}

const hints = {
  'yaml-invalid': 'Look at that line and column.',
  'yaml-too-large': 'Split the file.',
  'yaml-aliases': 'Write out what is repeated, or repeat less.',
} as const
