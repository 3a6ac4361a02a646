import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '#lib/failure.ts'
import { repositoryKey } from './url.ts'

/**
 * What a webhook says, after its signature was found to hold. It is a hint to fetch and nothing else: nothing of it becomes desired state, so that one
 * that is sent again costs a fetch. `other` is a delivery that is not a push, such as a forge's `ping`.
 */
export type Webhook =
  | {
      readonly kind: 'push'
      readonly forge: Forge
      /** A name in the workspace: our own form only. */
      readonly repository?: string
      readonly urls: readonly string[]
      /** `refs/heads/main`. */
      readonly ref: string
      readonly before: string
      readonly after: string
    }
  | { readonly kind: 'other'; readonly forge: Forge; readonly event: string }
type Forge = 'plumbline' | 'forgejo' | 'gitea' | 'github' | 'gitlab'

/** By lower-case name. */
type Headers = Readonly<Record<string, string | undefined>>
type Signature = { readonly forge: Forge; readonly holds: (headers: Headers, body: Uint8Array, secret: string) => boolean; readonly header: string }

/**
 * In this order; the first whose header is there decides, and another one does not rescue it. Sources: GitHub "Validating webhook deliveries";
 * Gitea and Forgejo "Webhooks" (both names may be sent; the value is bare hexadecimal); GitLab "Webhooks": the signing token follows Standard
 * Webhooks (`whsec_` and base64 of the key; `v1,` and base64 of the HMAC of id, time and body), the secret token is sent as it is.
 */
const signatures: readonly Signature[] = [
  { forge: 'plumbline', header: 'x-plumbline-signature-256', holds: (headers, body, secret) => same(headers['x-plumbline-signature-256'], `sha256=${hmac(secret, body)}`) },
  { forge: 'forgejo', header: 'x-forgejo-signature', holds: (headers, body, secret) => same(headers['x-forgejo-signature'], hmac(secret, body)) },
  { forge: 'gitea', header: 'x-gitea-signature', holds: (headers, body, secret) => same(headers['x-gitea-signature'], hmac(secret, body)) },
  { forge: 'github', header: 'x-hub-signature-256', holds: (headers, body, secret) => same(headers['x-hub-signature-256'], `sha256=${hmac(secret, body)}`) },
  { forge: 'gitlab', header: 'webhook-signature', holds: standardWebhook },
  { forge: 'gitlab', header: 'x-gitlab-token', holds: (headers, _, secret) => same(headers['x-gitlab-token'], secret) },
]

/** The value of `X-Plumbline-Signature-256` for a body: what our own post-receive hook sends. */
export function signWebhook(secret: string, body: Uint8Array | string): string {
  return `sha256=${hmac(secret, body)}`
}

const commit = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/)
const ref = z.string().min(1).max(500)
const url = z.string().max(2048)
const plain = z.object({ repository: z.string().min(1).max(100), ref, before: commit, after: commit })
const forgePush = z.object({ ref, before: commit, after: commit, repository: z.object({ clone_url: url.optional(), ssh_url: url.optional(), html_url: url.optional() }) })
const gitlabPush = z.object({
  ref, before: commit, after: commit, object_kind: z.literal('push'),
  project: z.object({ git_http_url: url.optional(), git_ssh_url: url.optional(), web_url: url.optional() }),
})
const events: Readonly<Record<Forge, string | undefined>> = { plumbline: undefined, forgejo: 'x-forgejo-event', gitea: 'x-gitea-event', github: 'x-github-event', gitlab: 'x-gitlab-event' }

/**
 * Verifies a webhook over its raw body, and only then reads it. Pure.
 * Failures: `webhook-signature`, `webhook-invalid`.
 */
export function readWebhook(headers: Headers, body: Uint8Array, secret: string): Webhook {
  const signature = signatures.find(({ header }) => headers[header] !== undefined)
  if (signature === undefined) throw refused('bears no signature that is known', 'Set the secret of the webhook at the forge.')
  if (secret === '' || !signature.holds(headers, body, secret)) throw refused(`has a ${signature.header} that does not hold`, 'Is the secret at the forge the one that the workspace names?')
  const { forge } = signature
  const event = headers[events[forge] ?? ''] ?? 'push'
  if (event !== 'push' && event !== 'Push Hook') return { kind: 'other', forge, event: event.slice(0, 100) }
  const value = parse(headers, body)
  if (forge === 'plumbline') {
    const { repository, ...push } = expect(plain, value)
    return { kind: 'push', forge, repository, urls: [], ...push }
  }
  const push = forge === 'gitlab' ? expect(gitlabPush, value) : expect(forgePush, value)
  const urls = Object.values('project' in push ? push.project : push.repository).filter((one) => one !== undefined)
  return { kind: 'push', forge, urls, ref: push.ref, before: push.before, after: push.after }
}

/**
 * The repositories that a push is about, by name or by clone URL (one repository may be followed at several branches).
 * Failure `webhook-unknown-repository`.
 */
export function repositoriesOf(push: Extract<Webhook, { kind: 'push' }>, followed: readonly { readonly name: string; readonly url: string; readonly branch: string }[]): string[] {
  const keys = new Set(push.urls.map(repositoryKey))
  const found = followed.filter(({ name, url }) => (push.repository === undefined ? keys.has(repositoryKey(url)) : name === push.repository))
  if (found.length > 0) return found.filter(({ branch }) => push.ref === `refs/heads/${branch}`).map(({ name }) => name)
  throw new Failure({
    code: 'webhook-unknown-repository',
    subject: 'webhook',
    message: 'the webhook is about a repository that the workspace does not follow',
    hint: 'Name the repository under spec.repositories in plumbline.yaml, by the URL that the forge shows for cloning.',
  })
}

function hmac(secret: string | Uint8Array, body: Uint8Array | string, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac('sha256', secret).update(body).digest(encoding)
}

/** In constant time: both sides are hashed first, so that not even their lengths show. */
function same(given: string | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest()
  return given !== undefined && timingSafeEqual(digest(given), digest(expected))
}

function standardWebhook(headers: Headers, body: Uint8Array, secret: string): boolean {
  const [id, time] = [headers['webhook-id'], headers['webhook-timestamp']]
  if (id === undefined || time === undefined) return false
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  if (key.length === 0) return false
  const expected = `v1,${hmac(key, Buffer.concat([Buffer.from(`${id}.${time}.`), body]), 'base64')}`
  return (headers['webhook-signature'] ?? '').split(' ').slice(0, 10).some((given) => same(given, expected))
}

function parse(headers: Headers, body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('utf8')
  // What GitHub sends where nobody chose application/json.
  const form = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  try {
    return JSON.parse(form ? (new URLSearchParams(text).get('payload') ?? '') : text)
  } catch {
    throw invalid('its body is not JSON')
  }
}

function expect<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

function invalid(why: string): Failure {
  return new Failure({ code: 'webhook-invalid', subject: 'webhook', message: `the webhook is signed, but not of a form that is known: ${why}` })
}

function refused(why: string, hint: string): Failure {
  return new Failure({ code: 'webhook-signature', subject: 'webhook', message: `the webhook ${why}`, hint })
}
