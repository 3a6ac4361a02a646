import { equalJson, isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import type { YamlPath } from '#lib/yaml-locate.ts'
import { ranked, turns } from './sought.ts'
import type { Ranked, Sought } from './sought.ts'
import type { Text } from './texts.ts'

/** Few of those decide, and each try costs a rendering. */
const most = { named: 6, equal: 4 }

/**
 * Any other place that holds the declared value: under the field's own name (labels of a kustomization, a component's patch without a kind), and
 * then under any (what a replacement copies from).
 */
export function anywhere(sought: Sought, texts: readonly Text[]): Ranked[] {
  const { declared, live, segments } = sought
  const last = segments.at(-1)
  if (declared === undefined || live === undefined || typeof declared === 'object' || last === undefined) return []
  const name = 'field' in last ? last.field : undefined
  const found = texts.flatMap((text) => leavesOf(text.value).filter(([, value]) => equalJson(value, declared)).map(([path]) => ({ text, path })))
  const isNamed = ({ path }: { path: YamlPath }): boolean => path.at(-1) === name
  const at = (places: typeof found, rank: number): Ranked[] => places.flatMap(({ text, path }) => ranked(text, rank, [text.set(path, live)]))
  const telling = typeof declared === 'string' && declared.length > 2
  return [
    ...at(found.filter(isNamed).slice(0, most.named), turns.namesake),
    ...at(telling ? found.filter((one) => !isNamed(one)).slice(0, most.equal) : [], turns.equal),
  ]
}

function leavesOf(value: Json, path: YamlPath = []): [YamlPath, Json][] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesOf(item, [...path, index]))
  if (isObject(value)) return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key]))
  return [[path, value]]
}
