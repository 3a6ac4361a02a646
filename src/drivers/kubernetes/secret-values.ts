import { isObject, type Json, type JsonObject } from '#lib/json.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

export function isSecretBody(body: JsonObject): boolean {
  return body['kind'] === 'Secret' && body['apiVersion'] === 'v1'
}

/** A Secret as it is sent: `stringData` is written over `data`, as the server would do it, so that what is declared is what is stored. Others as they are. */
export function withoutStringData(body: JsonObject): JsonObject {
  if (!isSecretBody(body) || !isObject(body['stringData'])) return body
  const { stringData, ...rest } = body
  const texts = Object.entries(stringData as JsonObject).map(([name, value]): [string, Json] => [name, typeof value === 'string' ? Buffer.from(value).toString('base64') : value])
  return { ...rest, data: { ...(isObject(rest['data']) ? rest['data'] : {}), ...Object.fromEntries(texts) } }
}

/**
 * A Secret with `{ "digest": … }` in place of every value of `data`; other objects as they are. What kubectl wrote down of its own apply holds
 * the values once more, and becomes a digest too. What is a digest already (no true value is an object) stays one.
 */
export function withDigests(body: JsonObject, secretDigest: (value: string) => string): JsonObject {
  if (!isSecretBody(body)) return body
  const digested = (values: Json | undefined): JsonObject =>
    Object.fromEntries(Object.entries(isObject(values) ? values : {}).map(([name, value]): [string, Json] => [name, isObject(value) && typeof value['digest'] === 'string' ? value : { digest: secretDigest(canonical(value)) }]))
  const metadata = isObject(body['metadata']) ? body['metadata'] : {}
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {}
  const noted = annotations[lastApplied]
  const { data, ...rest } = withoutStringData(body)
  return {
    ...rest,
    metadata: !String(noted).startsWith('{') ? metadata : { ...metadata, annotations: { ...annotations, [lastApplied]: secretDigest(String(noted)) } },
    ...(data === undefined ? {} : { data: digested(data) }),
  }
}

/**
 * One text for one value, however its Base64 was written: the text itself, or, for bytes that are no text, their Base64. (Read as text, two different
 * keystores could look the same.)
 */
function canonical(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const bytes = Buffer.from(value, 'base64')
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : `base64:${bytes.toString('base64')}`
}
