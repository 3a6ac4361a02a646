import { posix } from 'node:path'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { follow } from '../follow.ts'
import type { RenderedDocument, Renderer } from '../renderer.ts'

const manifest = /\.(ya?ml|json)$/

/**
 * A folder of manifests: every `.yaml`, `.yml` and `.json` file in it, by name, folders below it left alone, as `kubectl apply -f` does.
 * Lists are taken apart, and Plumbline's own documents left out, so that a module's file may lie beside its manifests.
 */
export const plain: Renderer = {
  id: 'plain',
  fingerprint: async () => '1',
  detect: async () => true,
  render: async ({ tools }, reader, path) => {
    const documents: RenderedDocument[] = []
    for (const child of (await reader.list(path)) ?? []) {
      if (!manifest.test(child.path) || child.type === 'tree' || child.type === 'submodule') continue
      const entry = child.type === 'link' ? await follow(reader, child.path) : child
      if (entry?.type !== 'blob') continue
      for (const { value, line } of await tools.blobs.documents(reader, { ...entry, path: entry.path })) {
        if (isOurs(value)) continue
        for (const one of flatten(value)) documents.push({ value: one, file: posix.normalize(entry.path), line })
      }
    }
    return documents
  },
}

function isOurs(value: Json): boolean {
  return isObject(value) && typeof value['apiVersion'] === 'string' && value['apiVersion'].startsWith('plumbline.dev/')
}

/** The items of a `List` (or `DeploymentList`, …), also of lists in lists; anything else as it is. */
export function flatten(value: Json): Json[] {
  if (!isObject(value) || !Array.isArray(value['items'])) return [value]
  const { apiVersion, kind, items } = value
  const isList = typeof kind === 'string' && kind.endsWith('List') && typeof apiVersion === 'string' && !hasName(value)
  if (!isList) return [value]
  // Items of a typed list may leave out what the list says.
  const implied: JsonObject = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
  return items.flatMap((item) => flatten(isObject(item) ? { ...implied, ...item } : item))
}

function hasName(value: JsonObject): boolean {
  return isObject(value['metadata']) && typeof value['metadata']['name'] === 'string'
}
