import { stripVTControlCharacters, styleText } from 'node:util'

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'strong' | 'plain'
export type Paint = (tone: Tone, text: string) => string

const styles = { good: 'green', warn: 'yellow', bad: 'red', quiet: 'gray', strong: 'bold' } as const

/** Colours where the terminal shows them; the words are the same without. */
export function painter(colours: boolean): Paint {
  return (tone, text) => (colours && tone !== 'plain' ? styleText(styles[tone], text, { validateStream: false }) : text)
}

/** What other people wrote, safe to print: no control characters, so that no text can move the cursor or colour a word. */
export function safe(text: string): string {
  // eslint-disable-next-line no-control-regex
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}

const widthOf = (text: string): number => stripVTControlCharacters(text).length

/** Columns, as wide as their widest cell; the last one is cut at the terminal's edge. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width: number, paint: Paint): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => widthOf(row[column] ?? ''))))
  const last = head.length - 1
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + 2, 0)
  const cut = (text: string): string => {
    const room = Math.max(20, width - before)
    return widthOf(text) > room ? `${text.slice(0, room - 1)}…` : text
  }
  const line = (cells: readonly string[], tone: Tone): string =>
    cells.map((cell, column) => (column === last ? cut(cell) : paint(tone, cell) + ' '.repeat((widths[column] ?? 0) - widthOf(cell) + 2))).join('').trimEnd()
  return [paint('quiet', line(head, 'plain')), ...rows.map((row) => line(row, 'plain'))]
}

const tones: Readonly<Record<string, Tone>> = {
  synced: 'good', passed: 'good', succeeded: 'good', delivered: 'good', created: 'good', configured: 'good',
  warned: 'warn', behind: 'warn', waiting: 'warn', progressing: 'warn', stale: 'warn', halted: 'warn', verifying: 'warn', delivering: 'warn', planning: 'warn',
  failed: 'bad', unknown: 'bad', deleted: 'bad', contested: 'bad', interrupted: 'bad',
  unchanged: 'quiet', pending: 'quiet', superseded: 'quiet', cancelled: 'quiet', skipped: 'quiet', yielded: 'quiet', held: 'warn', taken: 'warn',
}

/** A word of the domain, in its colour. */
export function word(text: string, paint: Paint): string {
  return paint(tones[text] ?? 'plain', text)
}

/** How long ago, in the largest unit that says something. */
export function ago(iso: string | null, now: number): string {
  if (iso === null) return '-'
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
