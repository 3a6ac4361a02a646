import type { FieldsAnswer } from '#api/client.ts'
import { showKey } from '#model/resource.ts'
import { failureLines } from './failure.ts'
import { cut, safe } from './safe.ts'
import { painter } from './table.ts'
import type { Look } from './table.ts'

/** `plumb drift fields`: by object, what others rightly move, and what was never declared, with its owner. */
export function printFields({ objects }: FieldsAnswer, look: Look): string[] {
  const paint = painter(look)
  const lines = objects.flatMap(({ object, delegated, emergent, failure }): string[] => {
    if (failure === null && delegated.length === 0 && emergent.length === 0) return []
    const rows = emergent.map(({ path, owner }) => `  ${paint('quiet', 'emergent ')}  ${cut(safe(path), look.width - 40)}  ${paint('quiet', safe(owner ?? 'nobody’s: a default, or put in'))}`)
    return [
      paint('strong', safe(showKey(object))),
      ...(failure === null ? [] : failureLines(failure, '  ', paint, look.width)),
      ...delegated.map(({ path, declared, live, to }) => `  ${paint('warn', 'delegated')}  ${safe(path)}: Git says ${brief(declared)}, it is ${brief(live)}  ${paint('quiet', safe(to))}`),
      ...rows,
    ]
  })
  return lines.length === 0 ? ['Every field that there is was declared, and is nobody else’s.'] : lines
}

function brief(value: unknown): string {
  return cut(safe(typeof value === 'string' ? value : JSON.stringify(value)), 40)
}
