import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, type JsonObject } from '#lib/json.ts'

const longestToken = 16 * 1024
const longestMemory = 1000

/** Signs and reads JSON Web Tokens (RFC 7519) with ES256 alone: a token's own word on its algorithm counts for nothing. */
export class TokenSigner {
  readonly #private: KeyObject
  readonly #public: KeyObject
  readonly #header: string
  /** Claims whose signature held, by the token's digest: a client sends the same token again and again. */
  readonly #read = new Map<string, JsonObject>()

  /** The key is made at the first start, and kept in a file that only its owner reads. */
  constructor(dir: string) {
    const path = join(dir, 'service-account-key.pem')
    if (!existsSync(path)) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      writeFileSync(`${path}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
      renameSync(`${path}.new`, path)
    }
    this.#private = createPrivateKey(readFileSync(path))
    this.#public = createPublicKey(this.#private)
    const kid = createHash('sha256').update(this.#public.export({ type: 'spki', format: 'der' })).digest('base64url')
    this.#header = encode({ alg: 'ES256', kid })
  }

  sign(claims: JsonObject): string {
    const content = `${this.#header}.${encode(claims)}`
    return `${content}.${sign('sha256', Buffer.from(content), { key: this.#private, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  /** The claims of a token of ours; `undefined` where it is none. Whether they still hold is not looked at. */
  read(token: string): JsonObject | undefined {
    if (token.length > longestToken) return undefined
    const digest = createHash('sha256').update(token).digest('base64')
    const known = this.#read.get(digest)
    if (known !== undefined) return known
    const [header, payload, signature, ...rest] = token.split('.')
    if (header !== this.#header || payload === undefined || signature === undefined || rest.length > 0) return undefined
    const bytes = Buffer.from(signature, 'base64url')
    if (!verify('sha256', Buffer.from(`${header}.${payload}`), { key: this.#public, dsaEncoding: 'ieee-p1363' }, bytes)) return undefined
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (!isObject(claims)) return undefined
    if (this.#read.size >= longestMemory) this.#read.clear()
    this.#read.set(digest, claims)
    return claims
  }
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
