import { Document, visit } from 'yaml'
import type { Json } from '#lib/json.ts'
import { readYaml } from '#lib/yaml.ts'
import { equalJson } from '#lib/json.ts'
import type { Random } from './random.ts'

/** A document as some person would write it: with comments, quotes, flow collections and indentations of their taste. */
export function written(value: Json, random: Random): string {
  const document = new Document(value, { version: '1.1' })
  const isFlow = random.chance(0.3)
  visit(document, {
    Collection: (key, node) => void (key === 'value' && isFlow && random.chance(0.3) && (node.flow = true)),
    Pair: (_, pair) => void (random.chance(0.08) && ((pair.key as { commentBefore?: string }).commentBefore = ' as agreed')),
    Scalar: (key, node) => {
      if (key !== 'value') return
      if (typeof node.value === 'string' && random.chance(0.2)) node.type = random.pick(['QUOTE_SINGLE', 'QUOTE_DOUBLE'] as const)
      if (random.chance(0.05)) node.comment = ' see the wiki'
    },
  })
  const text = document.toString({ indent: random.pick([2, 2, 4]), indentSeq: random.chance(0.5), lineWidth: 0, directives: false })
  // What a style cannot hold is written plainly.
  return equalJson(readYaml(Buffer.from(text), { file: 'written', rules: '1.1' })[0]?.value, value) ? text : `${JSON.stringify(value, null, 2)}\n`
}
