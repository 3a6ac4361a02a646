import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import { bytesOf, jsonOf, openYaml, spliced } from '#lib/yaml-edit/open.ts'
import type { Splice, YamlText } from '#lib/yaml-edit/open.ts'
import { changeYaml, setYaml } from '#lib/yaml-edit/set.ts'
import type { YamlPath } from '#lib/yaml-locate.ts'
import type { TreeReader } from '#model/tree.ts'
import { kustomizationNames } from '../kustomize/collect.ts'
import type { Read } from '../read-log.ts'

/** A document of a file that a rendering read, or of a patch that is written inside of one. What it holds is shared: never change it. */
export type Text = {
  readonly file: string
  readonly value: Json
  readonly isKustomization: boolean
  /** How many other places read the file. */
  readonly sharing: number
  /** The file's new bytes with the document changed; undefined where it cannot be written so. */
  change(value: Json): Buffer | undefined
  /** The same for one path, through aliases to what they name. */
  set(path: YamlPath, value: Json): Buffer | undefined
  /** The file without the document; undefined where it is all that the file holds. */
  without(): Buffer | undefined
}

const largest = 1024 * 1024

/** Every document of the files that were read, and of the patches in them. Files that are no YAML, or too large, are left out. */
export async function textsOf(reader: TreeReader, read: readonly Read[], sharing: (path: string) => Promise<number>): Promise<Text[]> {
  const found: Text[] = []
  for (const { path, id } of read) {
    if (!id.startsWith('blob:') || (!/\.(ya?ml|json)$/.test(path) && posix.basename(path) !== 'Kustomization')) continue
    const entry = await reader.entry(path)
    if (entry?.type !== 'blob') continue
    const bytes = await reader.read(entry)
    const yaml = bytes.length > largest ? undefined : opened(bytes, path)
    if (yaml !== undefined) found.push(...textsIn(yaml, path, await sharing(path)))
  }
  return found
}

function opened(bytes: Buffer, file: string): YamlText | undefined {
  try {
    return openYaml(bytes, file)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

function textsIn(yaml: YamlText, file: string, sharing: number): Text[] {
  const isKustomization = kustomizationNames.includes(posix.basename(file))
  return yaml.documents.flatMap((document, index) => {
    const value = jsonOf(document.contents, document)
    if (value === undefined || value === null) return []
    const put = (splices: Splice[] | undefined): Buffer | undefined => (splices === undefined || splices.length === 0 ? undefined : bytesOf(yaml, spliced(yaml.text, splices)))
    const text: Text = {
      file, value, isKustomization, sharing,
      change: (wanted) => put(changeYaml(yaml, document, wanted)),
      set: (path, wanted) => put(setYaml(yaml, document, path, wanted)),
      without: () => withoutDocument(yaml, index),
    }
    return [text, ...(isKustomization ? patchesIn(text) : [])]
  })
}

/** Patches that are written in the kustomization itself. */
function patchesIn(host: Text): Text[] {
  const { value, file, sharing } = host
  if (!isObject(value)) return []
  const places: YamlPath[] = []
  for (const field of ['patches', 'patchesJson6902']) if (Array.isArray(value[field])) places.push(...value[field].map((_, index) => [field, index, 'patch']))
  if (Array.isArray(value['patchesStrategicMerge'])) places.push(...value['patchesStrategicMerge'].map((_, index) => ['patchesStrategicMerge', index]))
  return places.flatMap((place) => {
    const inner = at(value, place)
    if (typeof inner !== 'string' || (place[0] === 'patchesStrategicMerge' && !inner.includes('\n'))) return []
    const yaml = opened(Buffer.from(inner), file)
    if (yaml === undefined) return []
    const outer = (bytes: Buffer | undefined): Buffer | undefined => (bytes === undefined ? undefined : host.set(place, bytes.toString('utf8')))
    return textsIn(yaml, `${file}#`, sharing).map((text) => ({
      ...text, file, isKustomization: false,
      change: (wanted: Json) => outer(text.change(wanted)),
      set: (path: YamlPath, wanted: Json) => outer(text.set(path, wanted)),
      without: () => outer(text.without()),
    }))
  })
}

function at(value: Json, path: YamlPath): Json | undefined {
  let found: Json | undefined = value
  for (const segment of path) found = Array.isArray(found) ? found[segment as number] : isObject(found) ? found[segment as string] : undefined
  return found
}

/** A stream without one of its documents, and without the line that parted it from the one before. */
function withoutDocument(yaml: YamlText, index: number): Buffer | undefined {
  const { text, documents } = yaml
  const holds = (at: number): boolean => (documents[at]?.contents ?? null) !== null
  if (!documents.some((_, at) => at !== index && holds(at))) return undefined
  const starts = documents.map((document, at) => separator(text, document.contents?.range?.[0] ?? document.range[0], at))
  const start = starts[index] ?? 0
  const next = starts[index + 1] ?? text.length
  // The first document's separator, if it has none of its own, is the second's.
  const isBare = index === 0 && !text.startsWith('---', start)
  const after = isBare ? text.indexOf('\n', next) + 1 : next
  return bytesOf(yaml, text.slice(0, start) + text.slice(after))
}

function separator(text: string, content: number, index: number): number {
  for (let at = content; at > 0; ) {
    at = text.lastIndexOf('---', at - 1)
    if (at === -1) break
    if (at === 0 || text[at - 1] === '\n') return at
  }
  return index === 0 ? 0 : content
}
