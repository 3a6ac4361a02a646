import { styleText } from 'node:util'
import { cut, widthOf } from './safe.ts'

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'strong' | 'plain'
export type Paint = (tone: Tone, text: string) => string

/** How to print: whether in colour, in how many columns, and what time it is (milliseconds since 1970). */
export type Look = { readonly colours: boolean; readonly width: number; readonly now: number }

const styles = { good: 'green', warn: 'yellow', bad: 'red', quiet: 'gray', strong: 'bold' } as const

/** Colours where the terminal shows them; the words are the same without. */
export function painter({ colours }: Pick<Look, 'colours'>): Paint {
  return (tone, text) => (colours && tone !== 'plain' && text !== '' ? styleText(styles[tone], text, { validateStream: false }) : text)
}

export type Cell = { readonly text: string; readonly tone?: Tone }

/**
 * Rows in columns that are as wide as their widest cell. Where that is wider than `width`, the columns of `elastic` give way, the last of them first,
 * down to eight columns each; `…` stands for what is left out.
 */
export function columns(rows: readonly (readonly Cell[])[], options: { readonly width: number; readonly elastic: readonly number[]; readonly indent?: string }, paint: Paint): string[] {
  const { width, elastic, indent = '' } = options
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, column) => Math.max(0, ...rows.map((row) => widthOf(row[column]?.text ?? ''))))
  let over = indent.length + widths.reduce((sum, one) => sum + one, 0) + 2 * Math.max(0, count - 1) - width
  for (const column of elastic.toReversed()) {
    const give = Math.min(Math.max(0, over), Math.max(0, (widths[column] ?? 0) - 8))
    widths[column] = (widths[column] ?? 0) - give
    over -= give
  }
  return rows.map((row) => {
    const cells = widths.map((room, column) => {
      const { text, tone = 'plain' } = row[column] ?? { text: '' }
      const shown = cut(text, room)
      return paint(tone, shown) + (column === count - 1 ? '' : ' '.repeat(room - widthOf(shown)))
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}

const tones: Readonly<Record<string, Tone>> = {
  synced: 'good', passed: 'good', succeeded: 'good', delivered: 'good', created: 'good', configured: 'good', allow: 'good',
  warned: 'warn', behind: 'warn', waiting: 'warn', progressing: 'warn', stale: 'warn', halted: 'warn', verifying: 'warn', reverting: 'warn', adopting: 'warn', manual: 'warn', open: 'warn', delivering: 'warn', planning: 'warn', held: 'warn', taken: 'warn', wait: 'warn',
  missing: 'bad', recreated: 'bad', failed: 'bad', unknown: 'bad', deleted: 'bad', contested: 'bad', interrupted: 'bad', refuse: 'bad',
  resolved: 'good',
  accepted: 'quiet', unchanged: 'quiet', pending: 'quiet', superseded: 'quiet', cancelled: 'quiet', skipped: 'quiet', yielded: 'quiet',
}

/** A word of the domain, in its colour. */
export function word(text: string): { text: string; tone: Tone } {
  return { text, tone: tones[text] ?? 'plain' }
}

/** How long ago, in the largest unit that says something. */
export function ago(iso: string | null, now: number): string {
  return iso === null ? '-' : lasting(now - Date.parse(iso))
}

/** A length of time, in the largest unit that says something. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** How much time is left until then, to the nearest of the largest unit: a week that began a second ago is still one. */
export function left(iso: string, now: number): string {
  const ms = Date.parse(iso) - now
  const unit = ms < 3_600_000 ? 60_000 : ms < 86_400_000 ? 3_600_000 : 86_400_000
  return lasting(ms + unit / 2)
}
