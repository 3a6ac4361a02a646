import { EVENT_ID, SCALAR_STYLE } from 'js-yaml'
import type { Event } from 'js-yaml'

/** 1-based, columns in UTF-16 code units. */
export type Place = { readonly line: number; readonly column: number }

/** Tells line and column of offsets in a text; the line starts are found once, when first asked. */
export function places(text: string): (offset: number) => Place {
  let starts: number[] | undefined
  return (offset) => {
    starts ??= lineStarts(text)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: Math.max(0, offset - (starts[low] ?? 0)) + 1 }
  }
}

/** Line ends as YAML has them: LF, CR LF, and CR alone. */
function lineStarts(text: string): number[] {
  const starts = [0]
  for (const match of text.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length)
  return starts
}

/** Where a node begins, with its tag and quotes; undefined where nothing is written (an empty value). */
export function offsetOf(event: Event): number | undefined {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      if (event.tagStart >= 0) return event.tagStart
      if (event.valueStart < 0) return undefined
      return event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED ? event.valueStart - 1 : event.valueStart
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return event.tagStart >= 0 ? event.tagStart : event.start
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1
    default:
      return undefined
  }
}
