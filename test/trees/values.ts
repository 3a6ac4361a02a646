import type { Json } from '#lib/json.ts'
import type { Random } from './random.ts'

/** Texts that YAML's readers are apt to take for something else. */
const texts = ['yes', 'no', '0644', '1e3', 'x: y', '"q"', 'ü', 'two\nlines\n', '# no', '12', 'null', '~', 'off', '1:30', '- a', 'plain', "it's", 'a,b', '{}']

/** Another value of the same sort for a field, as somebody might set it. */
export function changedValue(path: string, value: Json, random: Random): Json {
  if (typeof value === 'number') return value + random.number(1, 5)
  if (typeof value === 'boolean') return !value
  if (Array.isArray(value)) return changedList(path, value, random)
  if (path.endsWith('.image')) return changedImage(String(value), random)
  if (/\.(cpu|memory)$/.test(path)) return random.pick(['750m', '2', '512Mi', '1.5'].filter((one) => one !== value))
  if (/ports\[.*\.name$/.test(path)) return `${String(value)}-x`
  if (path === 'spec.type') return value === 'NodePort' ? 'ClusterIP' : 'NodePort'
  if (/labels\b/.test(path)) return random.pick(['yes', '12', 'gold', 'v1.2'].filter((one) => one !== value))
  return random.pick(texts.filter((one) => one !== value))
}

function changedList(path: string, list: readonly Json[], random: Random): Json {
  const at = random.number(0, list.length - 1)
  const item = list[at]
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) return list.with(at, { ...item, weight: Number(item['weight']) + 1 })
  return random.pick([list.with(at, `${String(item)}x`), [...list, '--more=1'], ...(list.length > 1 ? [list.toSpliced(at, 1)] : [])])
}

function changedImage(image: string, random: Random): string {
  const name = image.split(/[:@]/)[0] ?? ''
  return random.pick([`${name}:9.9.9`, `${name}:1.30`, `mirror.example/${name}:1.0.1`, `${name}@sha256:${'9f86d081884c7d65'.repeat(4)}`])
}
