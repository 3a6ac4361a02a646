import { stripVTControlCharacters } from 'node:util'

/**
 * What other people wrote (commit messages, annotations, answers of systems), safe to print on one line: no control characters, so that no text can
 * move the cursor, colour a word or set a title; none that turn the direction of what follows; none that are not seen.
 */
export function safe(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu, '')
    .toWellFormed()
}

const wide = /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6])/u

/** Columns that a text takes on a terminal: nothing for colours and combining marks, two for wide characters. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text)) width += /^\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

/** At most `width` columns of a text without colours; `…` stands for what is left out. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    const more = widthOf(character)
    if (used + more > Math.max(0, width - 1)) break
    kept += character
    used += more
  }
  return `${kept}…`
}

/** A text without colours, in lines of at most `width` columns, broken at spaces; a word that is longer has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').filter((one) => one !== '')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
