import { posix } from 'node:path'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { kustomizationNames } from '../kustomize/collect.ts'
import { comesFrom } from './in-generators.ts'
import { isNamed, mayBe, objectsIn, within } from './in-manifests.ts'
import { objectsOf } from './in-kustomization.ts'
import { ranked, turns } from './sought.ts'
import type { Ranked } from './sought.ts'
import type { Text } from './texts.ts'
import type { Changes } from './wish.ts'
import type { ObjectKey } from '#model/resource.ts'

/** Where an object is declared: its document, its file with what names that, its item in a list, its generator. */
export function declarations(key: ObjectKey, texts: readonly Text[]): Ranked[] {
  return texts.flatMap((text) => {
    if (text.isKustomization) return generators(key, text)
    return objectsIn(text.value).flatMap(({ path, value }) => {
      if (!mayBe(value, { key }) || !isNamed(value, { key })) return []
      if (path.length > 0) return ranked(text, turns.manifest, [text.change(withoutItem(text.value, path))])
      const rest = text.without()
      if (rest !== undefined) return ranked(text, turns.manifest, [rest])
      return [{ rank: turns.manifest + (text.sharing > 0 ? turns.shared : 0), changes: withoutFile(text.file, texts) }]
    })
  })
}

function generators(key: ObjectKey, text: Text): Ranked[] {
  if (!isObject(text.value)) return []
  const kustomization = text.value
  const list = kustomization['configMapGenerator']
  return objectsOf(list).flatMap(([index, entry]) => {
    if (!comesFrom(entry, { key })) return []
    const { configMapGenerator: _, ...without } = kustomization
    return ranked(text, turns.manifest, [text.change((list as Json[]).length === 1 ? without : { ...kustomization, configMapGenerator: (list as Json[]).toSpliced(index, 1) })])
  })
}

/** The file goes, and every kustomization that names it names it no more; one that is left with nothing keeps an empty list. */
function withoutFile(file: string, texts: readonly Text[]): Changes {
  const changes = new Map<string, Buffer | undefined>([[file, undefined]])
  for (const text of texts) {
    if (!kustomizationNames.includes(posix.basename(text.file)) || !isObject(text.value) || !Array.isArray(text.value['resources'])) continue
    const { resources, ...without } = text.value
    const kept = (resources as Json[]).filter((one) => typeof one !== 'string' || posix.join(posix.dirname(text.file), one) !== file)
    if (kept.length === (resources as Json[]).length) continue
    const bytes = text.change(kept.length === 0 ? without : { ...text.value, resources: kept })
    if (bytes !== undefined) changes.set(text.file, bytes)
  }
  return changes
}

function withoutItem(document: Json, path: readonly (string | number)[]): Json {
  const [list, index] = [path.slice(0, -1), path.at(-1)]
  let items: Json = document
  for (const segment of list) items = (items as JsonObject)[segment as string] ?? null
  return within(document, list, (items as Json[]).toSpliced(index as number, 1))
}
