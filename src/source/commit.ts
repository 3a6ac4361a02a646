import type { Commit } from '#model/snapshot.ts'

/** Trailers that Plumbline knows: written in any case, read in this one. */
const known = new Map(['Change-Id', 'Ticket', 'Reason', 'Reviewed-by', 'Elevation', 'Finding', 'Run-Record'].map((name) => [name.toLowerCase(), name]))

/** Reads a raw commit object, as `git cat-file commit` gives it. */
export function parseCommit(sha: string, raw: Buffer): Commit {
  const end = raw.indexOf('\n\n')
  const header = raw.subarray(0, end === -1 ? raw.length : end).toString('utf8')
  const encoding = /^encoding (\S+)$/m.exec(header)?.[1] ?? 'utf-8'
  const message = end === -1 ? '' : decode(raw.subarray(end + 2), encoding)
  const person = (role: string): [name: string, email: string, seconds: number] => {
    const [, name = '', email = '', seconds = '0'] = new RegExp(`^${role} (.*?) ?<([^>]*)> (-?\\d+)`, 'm').exec(header) ?? []
    return [name, email, Number(seconds)]
  }
  const [name, email] = person('author')
  return { sha, author: { name, email }, at: person('committer')[2] * 1000, subject: subjectOf(message), trailers: parseTrailers(message) }
}

/** The parents of a raw commit object, in their order. */
export function parentsOf(raw: Buffer): string[] {
  const end = raw.indexOf('\n\n')
  return [...raw.subarray(0, end === -1 ? raw.length : end).toString('latin1').matchAll(/^parent ([0-9a-f]{40})$/gm)].map(([, sha = '']) => sha)
}

function decode(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes) // an encoding that nobody knows: as UTF-8, with replacement characters
  }
}

/** What moves a cursor, turns the direction of what follows or is not seen. Lines may end. */
// oxlint-disable-next-line no-control-regex
const unseen = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

/** A text in which that stands as its number, for whoever reads it on a terminal or a page that is not ours. */
export function seen(text: string): string {
  return text.replaceAll(unseen, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A commit's message: a subject, paragraphs, and trailers, which are read back as they are written. Empty values are left out. */
export function writeMessage(subject: string, paragraphs: readonly string[], trailers: Readonly<Record<string, string>>): string {
  const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  const lines = Object.entries(trailers).flatMap(([name, value]) => (oneLine(value) === '' ? [] : [`${name}: ${oneLine(value)}`]))
  return `${seen([oneLine(subject), ...paragraphs.filter((one) => one.trim() !== ''), lines.join('\n')].filter((part) => part !== '').join('\n\n'))}\n`
}

/** The first paragraph, on one line. */
function subjectOf(message: string): string {
  return (message.trimStart().split(/\n[ \t]*\n/)[0] ?? '').replaceAll(/\s*\n\s*/g, ' ').trim()
}

/**
 * The trailers of a commit message by the rules of `git interpret-trailers --parse`: the last paragraph, when it is not the first, and every line of it is
 * a trailer, or a quarter of them are and one of them is git's own. A name that comes twice has its values joined by `, `.
 */
export function parseTrailers(message: string): Record<string, string> {
  const lines = message.split('\n').filter((line) => !line.startsWith('#')).map((line) => line.trimEnd())
  while (lines.at(-1) === '') lines.pop()
  const start = lines.lastIndexOf('') + 1
  // A message's first paragraph is its title, even where it reads like a trailer.
  if (lines.slice(0, start).every((line) => line === '')) return {}
  const found: [name: string, value: string][] = []
  let [trailers, others, ours] = [0, 0, false]
  for (const line of lines.slice(start)) {
    const last = found.at(-1)
    const match = /^([A-Za-z0-9-]+)[ \t]*:(.*)$/.exec(line)
    if (/^[ \t]/.test(line) && last !== undefined) last[1] = `${last[1]} ${line.trim()}`
    else if (line.startsWith('(cherry picked from commit ')) [trailers, ours] = [trailers + 1, true]
    else if (match !== null) {
      found.push([match[1] ?? '', (match[2] ?? '').trim()])
      trailers += 1
      if (line.startsWith('Signed-off-by: ')) ours = true
    } else others += 1
  }
  if (others > 0 && !(ours && trailers * 3 >= others)) return {}
  const merged = new Map<string, string>()
  for (const [written, value] of found) {
    const name = known.get(written.toLowerCase()) ?? written
    merged.set(name, merged.has(name) ? `${merged.get(name)}, ${value}` : value)
  }
  return Object.fromEntries(merged)
}
