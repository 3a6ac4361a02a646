import { isMap } from 'yaml'
import type { Document, YAMLMap, YAMLSeq } from 'yaml'
import type { YamlPath } from '../yaml-locate.ts'
import { walk } from './open.ts'
import type { Splice, YamlText } from './open.ts'
import { endOf, isFlow, lineEnd, lineStart, startOf } from './places.ts'

/**
 * Takes out what stands at a path, with the lines that hold nothing else. A collection that this would empty goes as a whole. Undefined where
 * there is nothing, or it cannot go without more (the whole document; a comment that would be lost).
 */
export function removeYaml(yaml: YamlText, document: Document, path: YamlPath): Splice[] | undefined {
  const { steps, node } = walk(document, path)
  if (node === undefined) return undefined
  for (const step of steps.toReversed()) {
    if (step.node.items.length === 1) continue
    const splice = cut(yaml, step.node, step.at)
    return splice === undefined ? undefined : [splice]
  }
  return undefined
}

/** Takes one of several items or pairs out of its collection. */
export function cut(yaml: YamlText, node: YAMLMap | YAMLSeq, index: number): Splice | undefined {
  const { text } = yaml
  const [start, end] = [startOf(node, index), endOf(node, index)]
  const last = node.items.length - 1
  if (isFlow(node)) return index < last ? { start, end: startOf(node, index + 1), text: '' } : { start: endOf(node, index - 1), end, text: '' }
  const line = lineStart(text, start)
  if (text.slice(line, start).trim() === '') {
    const stop = lineEnd(text, end)
    return { start: line, end: text[stop - 1] === '\n' && stop === end ? stop : afterLine(text, stop), text: '' }
  }
  // The first of a compact item (`- name: x`): the next one moves up to the dash.
  if (index === last) return undefined
  const next = startOf(node, index + 1)
  return isMap(node) && text.slice(end, next).includes('#') ? undefined : { start, end: next, text: '' }
}

function afterLine(text: string, at: number): number {
  if (text.startsWith('\r\n', at)) return at + 2
  return text[at] === '\n' ? at + 1 : at
}
