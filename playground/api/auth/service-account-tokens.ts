import { randomUUID } from 'node:crypto'
import { isObject, type JsonObject } from '#lib/json.ts'
import type { Clock } from '#lib/clock.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import type { User } from '../request.ts'
import type { Storage } from '../storage.ts'
import type { TokenSigner } from './json-web-token.ts'

/** Who signs, and for whom a token is where nobody else is named. */
export const issuer = 'https://kubernetes.default.svc.cluster.local'

export type Bound = { readonly kind: 'Pod' | 'Secret' | 'Node'; readonly name: string; readonly uid: string }

/** What a token stands for now, or why it stands for nothing. */
export type Reading = { readonly user: User; readonly audiences: readonly string[] } | { readonly refused: string }

/** Tokens of service accounts, bound to the account and, where asked, to a Pod, Secret or Node: with either gone, the token is worth nothing. */
export class ServiceAccountTokens {
  readonly #signer: TokenSigner
  readonly #storage: Storage
  readonly #clock: Clock

  constructor(signer: TokenSigner, storage: Storage, clock: Clock) {
    this.#signer = signer
    this.#storage = storage
    this.#clock = clock
  }

  /** `expires` in seconds since 1970. */
  issue(account: KubernetesObject, audiences: readonly string[], seconds: number, bound: Bound | undefined): { token: string; expires: number } {
    const { namespace = '', name = '', uid = '' } = account.metadata
    const now = Math.floor(this.#clock.now() / 1000)
    const claims: JsonObject = {
      aud: [...audiences],
      exp: now + seconds,
      iat: now,
      iss: issuer,
      jti: randomUUID(),
      'kubernetes.io': { namespace, ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }), serviceaccount: { name, uid } },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    }
    return { token: this.#signer.sign(claims), expires: now + seconds }
  }

  /** `undefined`: this is no token of ours. `wanted` are the audiences of which the token must have one. */
  read(token: string, wanted: readonly string[]): Reading | undefined {
    const claims = this.#signer.read(token)
    const ours = claims?.['kubernetes.io']
    if (claims === undefined || !isObject(ours) || claims.iss !== issuer) return undefined
    const now = this.#clock.now() / 1000
    if (now >= Number(claims.exp)) return { refused: 'service account token has expired' }
    if (now + 1 < Number(claims.nbf)) return { refused: 'service account token is not valid yet' }
    const audiences = strings(claims.aud).filter((audience) => wanted.includes(audience))
    if (audiences.length === 0) return { refused: `token audiences ${quoted(strings(claims.aud))} is invalid for the target audiences ${quoted(wanted)}` }
    const namespace = String(ours.namespace)
    const account = named(ours.serviceaccount)
    if (!this.#stands('/serviceaccounts', namespace, account)) return { refused: 'service account token has been invalidated' }
    const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${String(claims.jti)}`] }
    for (const [kind, resource] of [['pod', '/pods'], ['secret', '/secrets'], ['node', '/nodes']] as const) {
      if (ours[kind] === undefined) continue
      const bound = named(ours[kind])
      if (!this.#stands(resource, kind === 'node' ? '' : namespace, bound)) return { refused: 'service account token has been invalidated' }
      if (kind === 'secret') continue
      extra[`authentication.kubernetes.io/${kind}-name`] = [bound.name]
      extra[`authentication.kubernetes.io/${kind}-uid`] = [bound.uid]
    }
    return { user: { ...serviceAccountUser(namespace, account.name), uid: account.uid, extra }, audiences }
  }

  #stands(resource: string, namespace: string, { name, uid }: { name: string; uid: string }): boolean {
    return this.#storage.get(resource, `${namespace}/${name}`)?.metadata.uid === uid
  }
}

export function serviceAccountUser(namespace: string, name: string): User {
  return { name: `system:serviceaccount:${namespace}:${name}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'] }
}

function named(value: unknown): { name: string; uid: string } {
  return isObject(value) ? { name: String(value.name), uid: String(value.uid) } : { name: '', uid: '' }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
