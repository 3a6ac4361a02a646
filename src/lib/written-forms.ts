/** A text that stands for a value, or for a part of it that tells as much. */
export type WrittenForm = {
  readonly text: string
  /** `whole`: as it stands. `alone`: so short that it counts only where no letter or digit touches it. `begun`: the beginning of a long value, which whoever cuts texts leaves. `base64`: what every Base64 around it has in common. */
  readonly as: 'whole' | 'alone' | 'begun' | 'base64'
}

/** Nothing shorter is a secret, and text without it would be noise. */
export const shortestForm = 4
/** What is shorter is a word that texts have anyway. */
const shortestAnywhere = 8
const shortestLine = 16
const shortestBegun = 32

/**
 * Every form in which a value is met in logs, errors and answers: as it is, trimmed, URL-encoded, in Base64 (also in the middle of some), as JSON and HTML write
 * it; and of its parts the lines of a key, the password of a URL and the texts of a JSON document.
 */
export function writtenForms(value: string): WrittenForm[] {
  const forms = new Map<string, WrittenForm>()
  const add = (text: string, as: WrittenForm['as']): void => {
    if (text.length >= shortestForm && !forms.has(text)) forms.set(text, { text, as })
  }
  for (const part of partsOf(value)) {
    const as = part.length < shortestAnywhere ? 'alone' : 'whole'
    for (const text of encodings(part)) add(text, as)
    if (as === 'whole') for (const text of innerBase64(part)) add(text, 'base64')
    for (let length = shortestBegun; length < part.length; length *= 2) add(part.slice(0, length), 'begun')
  }
  return [...forms.values()]
}

function partsOf(value: string): string[] {
  const lines = value.split(/\r?\n/)
  const long = lines.filter((line) => line.length >= shortestLine)
  // `PASSWORD=…`, as files of variables have it.
  const assigned = lines.flatMap((line) => /^\s*[\w.-]+\s*=\s*["']?(.{8,}?)["']?\s*$/.exec(line)?.[1] ?? [])
  return [value, value.trim(), ...long, ...(lines.length > 1 ? assigned : []), ...passwordsOf(value), ...textsOf(value)].filter((part) => part.length >= shortestForm)
}

function passwordsOf(value: string): string[] {
  // With whatever somebody forgot to encode in it: to the last @.
  const written = /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:(.*)@/i.exec(value)?.[1]
  if (written === undefined) return []
  const parsed = URL.parse(value)?.password ?? ''
  return [written, parsed, decoded(written), decoded(parsed)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** The texts in a JSON document that are long enough to be secrets of their own. */
function textsOf(value: string): string[] {
  if (!/^\s*[[{]/.test(value)) return []
  const found: string[] = []
  try {
    JSON.parse(value, (_, leaf: unknown) => {
      if (typeof leaf === 'string' && leaf.length >= shortestAnywhere) found.push(leaf)
      return leaf
    })
  } catch {
    return []
  }
  return found
}

function encodings(part: string): string[] {
  const whole = part.toWellFormed()
  const urls = [encodeURIComponent(whole), encodeURI(whole), new URLSearchParams({ '': whole }).toString().slice(1)]
  const json = JSON.stringify(part).slice(1, -1)
  // As JSON within JSON, as Go writes it, and as one who keeps to ASCII does.
  const jsons = [json, JSON.stringify(json).slice(1, -1), json.replaceAll('/', String.raw`\/`), json.replaceAll(/[<>&]|[^ -~]/g, (one) => String.raw`\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)]
  const html = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return [part, ...urls, ...urls.map((url) => url.replaceAll(/%[0-9A-F]{2}/g, (one) => one.toLowerCase())), ...jsons, html, html.replaceAll('"', '&#34;').replaceAll("'", '&#39;'), html.replaceAll('"', '&quot;')]
}

/** Base64 of a text that the value is in (`user:value`): three of them, by where the value begins, without the characters that its neighbours change. */
function innerBase64(part: string): string[] {
  const bytes = Buffer.from(part)
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes])
    const text = all.toString('base64').replaceAll('=', '')
    const inner = text.slice([0, 2, 3][before], all.length % 3 === 0 ? text.length : text.length - 1)
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(inner)]
  })
}
