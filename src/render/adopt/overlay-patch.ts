import { posix } from 'node:path'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { writeDocument } from '#lib/yaml-edit/write.ts'
import { readPath } from '#model/field-path.ts'
import type { Segment } from '#model/field-path.ts'
import { parseKey } from '#model/resource.ts'
import type { ObjectKey } from '#model/resource.ts'
import type { TreeReader } from '#model/tree.ts'
import { patched } from './in-manifests.ts'
import { turns } from './sought.ts'
import type { Ranked, Sought } from './sought.ts'
import type { Text } from './texts.ts'

/** A new strategic merge patch in the environment's own kustomization; and where lists have no keys, a JSON patch. */
export async function newPatch(sought: Sought, root: Text, reader: TreeReader, names: readonly string[]): Promise<Ranked[]> {
  const found: Ranked[] = []
  for (const [turn, name] of names.entries()) {
    for (const [more, namespace] of namespaces(sought.body).entries()) {
      const patch = patched(identity(sought.body, name, namespace), sought)
      if (patch === undefined) continue
      for (const [late, text] of textsOf(patch, sought).entries()) found.push(...(await withFile(root, reader, sought.key, name, text, turns.newPatch + turn * 2 + more / 2 + late / 4)))
    }
  }
  const operations = jsonPatch(sought)
  if (operations !== undefined) for (const [turn, name] of names.entries())
    for (const [late, text] of textsOf(operations, sought).entries()) found.push(...inline(root, sought, name, text, turns.newPatch + 6 + turn + late / 4))
  return found
}

/** A patch that takes the object out of this environment's rendering; an entry of `replicas` for what is not there would be an error. */
export async function deletingPatch(root: Text, reader: TreeReader, key: ObjectKey, body: JsonObject, names: readonly string[]): Promise<Ranked[]> {
  const found: Ranked[] = []
  const isScaled = ['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet'].includes(parseKey(key).kind)
  const kept = isScaled ? withoutReplicas(root, names) : root
  for (const [turn, name] of names.entries())
    for (const [more, namespace] of namespaces(body).entries()) found.push(...(await withFile(kept, reader, key, name, writeDocument({ ...identity(body, name, namespace), $patch: 'delete' }), turns.newPatch + turn * 2 + more / 2)))
  return found
}

function withoutReplicas(root: Text, names: readonly string[]): Text {
  if (!isObject(root.value) || !Array.isArray(root.value['replicas'])) return root
  const { replicas, ...without } = root.value as JsonObject & { replicas: Json[] }
  const kept = replicas.filter((entry) => !isObject(entry) || !names.includes(String(entry['name'])))
  return { ...root, value: kept.length === 0 ? without : { ...without, replicas: kept } }
}

/** The names that an object may have where a kustomization's patches see it: without its own prefix, suffix and digests. */
export function namesAt(root: Text, key: ObjectKey): string[] {
  const { name } = parseKey(key)
  const kustomization = isObject(root.value) ? root.value : {}
  const [prefix, suffix] = [kustomization['namePrefix'], kustomization['nameSuffix']]
  const bare = (text: string): string => {
    const head = typeof prefix === 'string' && text.startsWith(prefix) ? text.slice(prefix.length) : text
    return typeof suffix === 'string' && suffix !== '' && head.endsWith(suffix) ? head.slice(0, -suffix.length) : head
  }
  const stem = parseKey(key).kind === 'ConfigMap' ? /^(.+)-[a-z0-9]{10}$/.exec(name)?.[1] : undefined
  return [...new Set([...(stem === undefined ? [] : [bare(stem)]), bare(name), name])]
}

/** Without a namespace first: the kustomization may be what gives it. */
function namespaces(body: JsonObject): (string | undefined)[] {
  const namespace = isObject(body['metadata']) ? body['metadata']['namespace'] : undefined
  return typeof namespace === 'string' ? [undefined, namespace] : [undefined]
}

/** A text of many lines as a block, and in quotes: kustomize takes the last line end of a patch that is written in a kustomization. */
function textsOf(patch: JsonObject | Json[], { live }: Sought): string[] {
  const block = writeDocument(patch)
  return typeof live === 'string' && live.includes('\n') ? [block, writeDocument(patch, 'quoted')] : [block]
}

function identity(body: JsonObject, name: string, namespace: string | undefined): JsonObject {
  return { apiVersion: body['apiVersion'] ?? null, kind: body['kind'] ?? null, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } }
}

async function withFile(root: Text, reader: TreeReader, key: ObjectKey, name: string, text: string, rank: number): Promise<Ranked[]> {
  const folder = posix.dirname(root.file)
  const stem = `${parseKey(key).kind.toLowerCase()}-${name}`.replaceAll(/[^a-z0-9.-]/g, '-').slice(0, 100)
  let file = `${stem}-patch.yaml`
  for (let count = 2; (await reader.entry(posix.join(folder, file))) !== undefined; count += 1) file = `${stem}-patch-${count}.yaml`
  const bytes = withEntry(root, { path: file })
  if (bytes === undefined) return []
  return [{ rank, changes: new Map([[root.file, bytes], [posix.join(folder, file), Buffer.from(text)]]) }]
}

function inline(root: Text, { key, body }: Sought, name: string, text: string, rank: number): Ranked[] {
  const { group, kind } = parseKey(key)
  const version = String(body['apiVersion']).split('/').at(-1) ?? ''
  const target = { ...(group === '' ? {} : { group }), version, kind, name }
  const bytes = withEntry(root, { target, patch: text })
  return bytes === undefined ? [] : [{ rank, changes: new Map([[root.file, bytes]]) }]
}

function withEntry(root: Text, entry: JsonObject): Buffer | undefined {
  if (!isObject(root.value)) return undefined
  const patches = root.value['patches'] ?? []
  return Array.isArray(patches) ? root.change({ ...root.value, patches: [...patches, entry] }) : undefined
}

/** An operation on the field where it now stands; where it lies in a list, one before it holds the item to what it was. */
function jsonPatch({ body, segments, live, declared }: Sought): Json[] | undefined {
  const tokens: string[] = []
  const tests: Json[] = []
  let at: Json = body
  for (const [depth, segment] of segments.entries()) {
    const next = readPath(at, [segment])
    const isLast = depth === segments.length - 1
    if (next === undefined && !(isLast && 'field' in segment && isObject(at))) return undefined
    if ('field' in segment) tokens.push(segment.field)
    else {
      tokens.push(String((at as Json[]).indexOf(next as Json)))
      tests.push(...holding(segment, tokens, next as Json))
    }
    at = next ?? null
  }
  const path = pointer(tokens)
  if (live === undefined) return [...tests, { op: 'remove', path }]
  return [...tests, { op: declared === undefined ? 'add' : 'replace', path, value: live }]
}

function holding(segment: Segment, tokens: readonly string[], item: Json): Json[] {
  if ('keys' in segment && isObject(item)) return Object.keys(segment.keys).flatMap((name) => (item[name] === undefined ? [] : [{ op: 'test', path: pointer([...tokens, name]), value: item[name] }]))
  return 'value' in segment ? [{ op: 'test', path: pointer(tokens), value: item }] : []
}

function pointer(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
