import { createHmac, randomBytes } from 'node:crypto'
import { shortestForm, writtenForms } from './written-forms.ts'
import type { WrittenForm } from './written-forms.ts'

/** What stands where a value was, unless its name is known. */
const redacted = '[redacted]'

type Form = { readonly length: number; readonly check: number; readonly digest: string; readonly as: WrittenForm['as']; readonly shown: string; readonly value: string }

/**
 * Takes values out of text, at the edge of a sink: a log, an error, an answer. It may live as long as its process, for it holds none of them: of each
 * form of a value (`written-forms.ts`) it keeps the length, twenty bits of a hash by which text is searched in one pass, and a digest, both keyed with
 * what is made anew in each process. So a value is in memory while its call lasts, and is recognised after it.
 */
export class Redactor {
  readonly #most: number
  readonly #key = randomBytes(32)
  /** Of the hash of a text: an odd number, so that no character is lost in it. */
  readonly #base = this.#key.readUInt32LE() | 1
  readonly #forms: (Form[] | undefined)[] = []
  /** By the digest of the value: where its forms are. */
  readonly #values = new Map<string, Set<number>>()

  /** So many values are known at a time; the one that was added longest ago is forgotten first. */
  constructor(most = 4096) {
    this.#most = most
  }

  /** `name` is shown in the value's place. */
  add(value: string, name?: string): void {
    const id = this.#digest(value)
    const known = this.#values.get(id)
    if (known !== undefined) {
      // The last is forgotten last.
      this.#values.delete(id)
      this.#values.set(id, known)
      return
    }
    const buckets = new Set<number>()
    for (const { text, as } of writtenForms(value)) {
      const bucket = bucketOf(this.#hash(text, 0, shortestForm))
      const form: Form = { length: text.length, check: checkOf(this.#hash(text, 0, text.length)), digest: this.#digest(text), as, shown: name === undefined ? redacted : `[secret ${name}]`, value: id }
      // The longest first: a value that holds another one would leave its other half behind.
      this.#forms[bucket] = [...(this.#forms[bucket] ?? []), form].sort((a, b) => b.length - a.length)
      buckets.add(bucket)
    }
    if (buckets.size === 0) return
    this.#values.set(id, buckets)
    if (this.#values.size > this.#most) this.#forget()
  }

  redact(text: string): string {
    if (this.#values.size === 0 || text.length < shortestForm) return text
    let kept = ''
    let from = 0
    for (let at = 0; at + shortestForm <= text.length; at += 1) {
      const forms = this.#forms[bucketOf(this.#hash(text, at, shortestForm))]
      const form = forms?.find((one) => this.#isAt(one, text, at))
      if (form === undefined) continue
      const [begin, end] = extent(form, text, at, from)
      kept += text.slice(from, begin) + form.shown
      from = end
      at = end - 1
    }
    return from === 0 ? text : kept + text.slice(from)
  }

  #isAt(form: Form, text: string, at: number): boolean {
    const end = at + form.length
    if (end > text.length || checkOf(this.#hash(text, at, form.length)) !== form.check) return false
    if (form.as === 'alone' && (isWord(text[at - 1]) || isWord(text[end]))) return false
    return this.#digest(text.slice(at, end)) === form.digest
  }

  #forget(): void {
    const [oldest] = this.#values
    if (oldest === undefined) return
    const [id, buckets] = oldest
    this.#values.delete(id)
    for (const bucket of buckets) this.#forms[bucket] = this.#forms[bucket]?.filter((form) => form.value !== id)
  }

  #digest(text: string): string {
    // UTF-16: a lone surrogate is itself.
    return createHmac('sha256', this.#key).update(text, 'utf16le').digest('base64')
  }

  /** Polynomial, modulo 2^32, keyed by its base; mixed at the end as MurmurHash3 does, for the low bits of a polynomial say little. */
  #hash(text: string, at: number, length: number): number {
    let hash = 0
    for (let index = at; index < at + length; index += 1) hash = (Math.imul(hash, this.#base) + text.charCodeAt(index)) | 0
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return (hash ^ (hash >>> 16)) >>> 0
  }
}

/** How far what is taken out reaches beyond the form that was found. */
function extent(form: Form, text: string, at: number, from: number): [number, number] {
  let [begin, end] = [at, at + form.length]
  // A few bits of the value are in the characters beside it.
  const beside = /[A-Za-z0-9+/_=-]/
  if (form.as === 'base64') {
    while (begin > from && at - begin < 3 && beside.test(text[begin - 1] ?? '')) begin -= 1
    while (end < text.length && end - at - form.length < 3 && beside.test(text[end] ?? '')) end += 1
  }
  // It may go on, up to where it would have been found as a longer one.
  if (form.as === 'begun') while (end < text.length && end - at < 2 * form.length && /[^\s"'“”<>…]/.test(text[end] ?? '')) end += 1
  return [begin, end]
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character)
}

function bucketOf(hash: number): number {
  return hash & 0xfff
}

function checkOf(hash: number): number {
  return hash >>> 24
}
