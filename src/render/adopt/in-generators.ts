import { posix } from 'node:path'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import type { TreeReader } from '#model/tree.ts'
import { parseKey } from '#model/resource.ts'
import { within } from './in-manifests.ts'
import { objectsOf } from './in-kustomization.ts'
import { ranked, turns } from './sought.ts'
import type { Ranked, Sought } from './sought.ts'
import type { Text } from './texts.ts'

const field = 'configMapGenerator'
type Sharing = (path: string) => Promise<number>

/** Literals, files and files of variables of the generators that a ConfigMap may come from. */
export async function inGenerators(sought: Sought, texts: readonly Text[], reader: TreeReader, sharing: Sharing): Promise<Ranked[]> {
  const name = dataKey(sought)
  if (name === undefined) return []
  const found: Ranked[] = []
  for (const text of texts) {
    if (!text.isKustomization || !isObject(text.value)) continue
    for (const [index, entry] of objectsOf(text.value[field])) {
      if (!comesFrom(entry, sought)) continue
      found.push(...inLiterals(sought, text, index, entry, name))
      for (const [list, sort] of [['files', 'file'], ['envs', 'variables']] as const) {
        for (const { file, item } of namedFiles(text, entry, list, name)) {
          const bytes = await contentOf(reader, file)
          if (bytes === undefined) continue
          const changed = sort === 'file' ? wholeFile(text, index, entry, item, sought) : { file, bytes: withVariable(bytes, name, sought) }
          found.push(...ranked({ file: changed.file ?? file, sharing: await sharing(changed.file ?? file) }, turns.patch, [changed.bytes]))
        }
      }
    }
  }
  return found
}

/** The generator’s value put over what a base generates, in the environment's own kustomization. */
export function newLiteral(sought: Sought, root: Text | undefined, texts: readonly Text[]): Ranked[] {
  const name = dataKey(sought)
  if (name === undefined || root === undefined || !isObject(root.value) || typeof sought.live !== 'string') return []
  const literal = `${name}=${sought.live}`
  const entries = root.value[field] ?? []
  if (!Array.isArray(entries)) return []
  const own = objectsOf(entries).find(([, entry]) => comesFrom(entry, sought))
  if (own !== undefined) {
    const [index, entry] = own
    const literals = Array.isArray(entry['literals']) ? entry['literals'] : []
    if (literals.some((one) => typeof one === 'string' && one.startsWith(`${name}=`))) return []
    return ranked(root, turns.newEntry, [root.change(within(root.value, [field, index], { ...entry, literals: [...literals, literal] }))])
  }
  const generator = texts.flatMap((text) => (text.isKustomization && isObject(text.value) ? objectsOf(text.value[field]) : [])).find(([, entry]) => comesFrom(entry, sought))?.[1]
  if (generator === undefined) return []
  const entry = { name: generator['name'] as string, behavior: 'merge', literals: [literal] }
  return ranked(root, turns.newEntry, [root.change({ ...root.value, [field]: [...entries, entry] })])
}

/** Whether the object may come from a generator: names get prefixes, suffixes and a digest on their way. */
export function comesFrom(entry: JsonObject, { key }: Pick<Sought, 'key'>): boolean {
  const { group, kind, name } = parseKey(key)
  return group === '' && kind === 'ConfigMap' && typeof entry['name'] === 'string' && name.includes(entry['name'])
}

function dataKey({ key, segments }: Sought): string | undefined {
  const [top, last, more] = segments
  const isData = parseKey(key).kind === 'ConfigMap' && top !== undefined && 'field' in top && top.field === 'data' && more === undefined
  return isData && last !== undefined && 'field' in last ? last.field : undefined
}

function inLiterals({ live, declared }: Sought, text: Text, index: number, entry: JsonObject, name: string): Ranked[] {
  const literals = Array.isArray(entry['literals']) ? entry['literals'] : []
  return literals.flatMap((literal, at) => {
    if (typeof literal !== 'string' || !literal.startsWith(`${name}=`)) return []
    const [, quote = '', value = ''] = /^(["']?)([^]*)\1$/.exec(literal.slice(name.length + 1)) ?? []
    const { literals: _, ...without } = entry
    const rest = literals.length === 1 ? without : { ...entry, literals: literals.toSpliced(at, 1) }
    const changed = live === undefined ? text.change(within(text.value, [field, index], rest)) : typeof live === 'string' ? text.set([field, index, 'literals', at], `${name}=${quote}${live}${quote}`) : undefined
    return ranked(text, value === declared ? turns.patch : turns.otherValue, [changed])
  })
}

/** The files that a generator's entry names, for a key (`files`) or for any (`envs`), with their place in the list. */
function namedFiles(text: Text, entry: JsonObject, list: 'files' | 'envs', name: string): { file: string; item: number }[] {
  const names: readonly Json[] = Array.isArray(entry[list]) ? entry[list] : list === 'envs' && typeof entry['env'] === 'string' ? [entry['env']] : []
  return names.flatMap((written, item) => {
    if (typeof written !== 'string') return []
    const equals = list === 'files' ? written.indexOf('=') : -1
    const key = equals === -1 ? posix.basename(written) : written.slice(0, equals)
    return list === 'files' && key !== name ? [] : [{ file: posix.join(posix.dirname(text.file), written.slice(equals + 1)), item }]
  })
}

function wholeFile(text: Text, index: number, entry: JsonObject, item: number, { live }: Sought): { file?: string; bytes: Buffer | undefined } {
  if (typeof live === 'string') return { bytes: Buffer.from(live) }
  if (live !== undefined || !Array.isArray(entry['files'])) return { bytes: undefined }
  const { files: _, ...without } = entry
  const rest = entry['files'].length === 1 ? without : { ...entry, files: entry['files'].toSpliced(item, 1) }
  return { file: text.file, bytes: text.change(within(text.value, [field, index], rest)) }
}

/** A file of `KEY=value` lines with one of them changed, or left out. */
function withVariable(bytes: Buffer, name: string, { live }: Sought): Buffer | undefined {
  const lines = bytes.toString('utf8').split(/(?<=\n)/)
  const at = lines.findLastIndex((line) => line.startsWith(`${name}=`))
  if (at === -1 || (live !== undefined && (typeof live !== 'string' || live.includes('\n')))) return undefined
  const end = /\r?\n?$/.exec(lines[at] ?? '')?.[0] ?? ''
  return Buffer.from((live === undefined ? lines.toSpliced(at, 1) : lines.with(at, `${name}=${live}${end}`)).join(''))
}

async function contentOf(reader: TreeReader, path: string): Promise<Buffer | undefined> {
  const entry = await reader.entry(path)
  return entry?.type === 'blob' ? reader.read(entry) : undefined
}
