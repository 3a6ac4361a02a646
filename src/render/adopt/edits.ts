import { lineDiff } from '#lib/line-diff.ts'
import type { TreeReader } from '#model/tree.ts'
import type { Edit } from '#model/adoption.ts'
import type { Changes } from './wish.ts'

/** What changes in which line and column, file by file. An edit of one line tells what differs in it; others tell whole lines. */
export async function editsOf(reader: TreeReader, changes: Changes): Promise<Edit[]> {
  const found: Edit[] = []
  for (const [file, bytes] of [...changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = await reader.entry(file)
    const before = entry?.type === 'blob' ? (await reader.read(entry)).toString('utf8') : ''
    for (const hunk of lineDiff(before, bytes?.toString('utf8') ?? '')) {
      const pairs = hunk.before.length === hunk.after.length ? hunk.before.map((line, index) => [line, hunk.after[index] ?? ''] as const) : undefined
      if (pairs !== undefined) found.push(...pairs.map(([was, is], index) => inLine(file, hunk.at + index + 1, was, is)))
      else found.push({ file, line: hunk.at + 1, column: 1, before: hunk.before.join('\n'), after: hunk.after.join('\n') })
    }
  }
  return found
}

/** Words, and not letters: `nginx:1.25` -> `nginx:1.26` is told from the colon on. */
function inLine(file: string, line: number, before: string, after: string): Edit {
  let head = 0
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head += 1
  let tail = 0
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1
  while (head > 0 && /[\w.+-]/.test(before[head - 1] ?? '')) head -= 1
  while (tail > 0 && /[\w.+-]/.test(before.at(-tail) ?? '')) tail -= 1
  return { file, line, column: head + 1, before: before.slice(head, before.length - tail), after: after.slice(head, after.length - tail) }
}
