import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { parseKey } from '#model/resource.ts'
import { within } from './in-manifests.ts'
import { ranked, turns } from './sought.ts'
import type { Ranked, Sought } from './sought.ts'
import type { Text } from './texts.ts'

/** `images` and `replicas` of kustomizations. */
export function inKustomizations(sought: Sought, texts: readonly Text[]): Ranked[] {
  return texts.flatMap((text) => (text.isKustomization && isObject(text.value) ? [...images(sought, text, text.value), ...replicas(sought, text, text.value)] : []))
}

type Image = { readonly name: string; readonly tag?: string; readonly digest?: string }

function imageOf(text: string): Image {
  const [rest = '', digest] = text.split('@')
  const [, name = rest, tag] = /^(.*?)(?::([^/:]*))?$/.exec(rest) ?? []
  return { name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

function images(sought: Sought, text: Text, kustomization: JsonObject): Ranked[] {
  const { declared, live } = sought
  if (!isImage(sought) || typeof declared !== 'string' || typeof live !== 'string') return []
  const [was, is] = [imageOf(declared), imageOf(live)]
  return objectsOf(kustomization['images']).flatMap(([index, entry]) => {
    if (typeof entry['name'] !== 'string' || (entry['newName'] ?? entry['name']) !== was.name) return []
    const { newName: _, newTag: __, digest: ___, ...rest } = entry
    const name = is.name === entry['name'] && entry['newName'] === undefined ? {} : { newName: is.name }
    const wanted = { ...rest, ...name, ...(is.tag === undefined ? {} : { newTag: is.tag }), ...(is.digest === undefined ? {} : { digest: is.digest }) }
    return ranked(text, turns.entry, [text.change(within(kustomization, ['images', index], wanted))])
  })
}

/** A new entry of `images` in the environment's own kustomization, for an image that it does not lead to another yet. */
export function newImage(sought: Sought, root: Text | undefined): Ranked[] {
  const { declared, live } = sought
  if (!isImage(sought) || typeof declared !== 'string' || typeof live !== 'string' || root === undefined || !isObject(root.value)) return []
  const [was, is] = [imageOf(declared), imageOf(live)]
  const entries = root.value['images'] ?? []
  if (!Array.isArray(entries) || objectsOf(entries).some(([, entry]) => (entry['newName'] ?? entry['name']) === was.name)) return []
  const entry = { name: was.name, ...(is.name === was.name ? {} : { newName: is.name }), ...(is.tag === undefined ? {} : { newTag: is.tag }), ...(is.digest === undefined ? {} : { digest: is.digest }) }
  return ranked(root, turns.newEntry, [root.change({ ...root.value, images: [...entries, entry] })])
}

function isImage({ segments }: Sought): boolean {
  const last = segments.at(-1)
  return last !== undefined && 'field' in last && last.field === 'image'
}

function replicas(sought: Sought, text: Text, kustomization: JsonObject): Ranked[] {
  if (sought.path !== 'spec.replicas') return []
  const { name } = parseKey(sought.key)
  return objectsOf(kustomization['replicas']).flatMap(([index, entry]) => {
    if (typeof entry['name'] !== 'string' || !name.includes(entry['name'])) return []
    const list = kustomization['replicas'] as Json[]
    const { replicas: _, ...without } = kustomization
    const changed = sought.live !== undefined ? text.set(['replicas', index, 'count'], sought.live) : text.change(list.length === 1 ? without : { ...kustomization, replicas: list.toSpliced(index, 1) })
    return ranked(text, turns.entry + (entry['name'] === name ? 0 : 1), [changed])
  })
}

export function objectsOf(value: Json | undefined): [number, JsonObject][] {
  return Array.isArray(value) ? value.flatMap((item, index): [number, JsonObject][] => (isObject(item) ? [[index, item]] : [])) : []
}
