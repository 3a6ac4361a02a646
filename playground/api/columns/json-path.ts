import { isObject, type Json } from '#lib/json.ts'

type Step = { name: string } | { index: number } | { all: true } | { filter: { path: Step[]; value: string } }

/** Reads the JSONPath subset that printer columns use: names, indices, `[*]`, and `[?(@.a.b=="c")]`. Returns every match. */
export function jsonPath(path: string): (value: Json) => Json[] {
  const steps = parse(path)
  return (value) => walk([value], steps)
}

function parse(path: string): Step[] {
  const steps: Step[] = []
  let rest = path
  while (rest !== '') {
    const match =
      /^\.?\[\?\(\s*@\.([^=\s]+)\s*==\s*(?:'([^']*)'|"([^"]*)"|([^)\s]*))\s*\)\]/.exec(rest) ??
      /^\[(\d+)\]/.exec(rest) ??
      /^\[\*\]/.exec(rest) ??
      /^\[['"]([^'"]+)['"]\]/.exec(rest) ??
      /^\.((?:\\.|[^.[\\])+)/.exec(rest) ??
      /^([^.[]+)/.exec(rest)
    if (match === null) return steps
    const text = match[0]
    rest = rest.slice(text.length)
    if (text.includes('?(')) steps.push({ filter: { path: parse(`.${match[1] ?? ''}`), value: match[2] ?? match[3] ?? match[4] ?? '' } })
    else if (text === '[*]') steps.push({ all: true })
    else if (/^\[\d/.test(text)) steps.push({ index: Number(match[1]) })
    else steps.push({ name: (match[1] ?? '').replaceAll('\\.', '.') })
  }
  return steps
}

function walk(values: Json[], steps: readonly Step[]): Json[] {
  let at = values
  for (const step of steps) {
    at = at.flatMap((value): Json[] => {
      if ('name' in step) return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name] as Json] : []
      const items = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
      if ('index' in step) return items[step.index] === undefined ? [] : [items[step.index] as Json]
      if ('all' in step) return items
      return items.filter((item) => walk([item], step.filter.path).some((found) => String(found) === step.filter.value))
    })
  }
  return at
}
