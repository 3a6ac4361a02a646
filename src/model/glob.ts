/**
 * A glob over names and paths: `*` stands for any run of characters but `/`, `?` for one of them, `**` for any run, and `**` with a slash
 * after it also for nothing. Everything else stands for itself. Takes time in proportion to both lengths, whatever the glob.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let reached = new Uint8Array(text.length + 1) // the positions in `text` that the glob so far can end at
  reached[0] = 1
  for (const token of glob.match(/\*\*\/|\*\*|\*|\?|[^*?]/gs) ?? []) {
    const next = new Uint8Array(text.length + 1)
    let isRunning = false
    for (let at = 0; at <= text.length; at += 1) {
      const before = at === 0 ? '' : (text[at - 1] ?? '')
      if (token === '*') isRunning = reached[at] === 1 || (isRunning && before !== '/')
      else if (token === '**' || token === '**/') isRunning = isRunning || reached[at] === 1
      if (token === '*' || token === '**') next[at] = Number(isRunning)
      else if (token === '**/') next[at] = Number(reached[at] === 1 || (isRunning && before === '/'))
      else next[at] = Number(at > 0 && reached[at - 1] === 1 && (token === '?' ? before !== '/' : before === token))
    }
    reached = next
  }
  return reached[text.length] === 1
}
