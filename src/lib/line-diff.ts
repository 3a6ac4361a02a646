/** Lines of a text that become others. `at` is the first of them, from 0. */
export type Hunk = { readonly at: number; readonly before: readonly string[]; readonly after: readonly string[] }

/** Beyond this many pairs of lines one hunk takes them all. */
const largest = 4_000_000

/** The lines that differ between two texts, by their longest common subsequence. Lines are without what ends them. */
export function lineDiff(before: string, after: string): Hunk[] {
  const [a, b] = [linesOf(before), linesOf(after)]
  let head = 0
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1
  const [olds, news] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)]
  if (olds.length === 0 && news.length === 0) return []
  if (olds.length * news.length > largest) return [{ at: head, before: olds, after: news }]
  return hunks(olds, news, head)
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function hunks(a: readonly string[], b: readonly string[], head: number): Hunk[] {
  // common[i][j]: how many lines a[i…] and b[j…] have in common, in order.
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  const of = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) for (let j = b.length - 1; j >= 0; j -= 1) common[i * width + j] = a[i] === b[j] ? of(i + 1, j + 1) + 1 : Math.max(of(i + 1, j), of(i, j + 1))
  const found: Hunk[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [fromA, fromB] = [i, j]
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] === b[j])) {
      if (j >= b.length || (i < a.length && of(i + 1, j) >= of(i, j + 1))) i += 1
      else j += 1
    }
    if (i > fromA || j > fromB) found.push({ at: head + fromA, before: a.slice(fromA, i), after: b.slice(fromB, j) })
    while (i < a.length && j < b.length && a[i] === b[j]) [i, j] = [i + 1, j + 1]
  }
  return found
}
