/** What stands where a secret value was. */
const redacted = '[redacted]'

/** Values shorter than this are not replaced: text would turn to noise, and nothing so short is a secret. */
const shortest = 4

/**
 * Knows the values that were given out during a call and takes them out of text, at the edge of a sink: a log, an error, a program's output.
 * A value is also found trimmed, line by line (a key of many lines), URL-encoded, in base64 and as JSON writes it.
 */
export class Redactor {
  readonly #forms = new Set<string>()
  #pattern: RegExp | undefined

  add(value: string): void {
    const lines = value.split(/\r?\n/).filter((line) => line.length >= 16)
    for (const part of [value, value.trim(), ...lines]) {
      if (part.length < shortest) continue
      const base64 = Buffer.from(part).toString('base64')
      for (const form of [part, encodeURIComponent(part.toWellFormed()), base64, Buffer.from(part).toString('base64url'), JSON.stringify(part).slice(1, -1)]) {
        this.#forms.add(form)
      }
    }
    this.#pattern = undefined
  }

  redact(text: string): string {
    if (this.#forms.size === 0) return text
    // The longest first: a value that holds another one would leave its other half behind.
    this.#pattern ??= new RegExp([...this.#forms].sort((a, b) => b.length - a.length).map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|'), 'g')
    return text.replace(this.#pattern, redacted)
  }
}
