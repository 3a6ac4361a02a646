import { Failure } from '#lib/failure.ts'
import { readWebhook, repositoriesOf } from '#source/webhook.ts'
import { enqueueAll } from '#store/queue.ts'
import type { Parts } from './parts.ts'

/**
 * A webhook: its signature is checked, a look at the repositories that it is about is written down, and that is all. With `name` the secret is that
 * repository's own, and no other repository is looked at; without, it is the installation's. Failures: those of `readWebhook` and `repositoriesOf`.
 */
export async function receiveWebhook(parts: Parts, name: string | undefined, headers: Readonly<Record<string, string>>, body: Buffer, signal: AbortSignal): Promise<void> {
  const secret = name === undefined ? parts.webhookSecret : await secretOf(parts, name, signal)
  const webhook = readWebhook(headers, body, secret)
  if (webhook.kind !== 'push') return
  const followed = parts.repositories.names().filter((one) => name === undefined || one === name).map((one) => {
    const { url, branch } = parts.repositories.mirror(one)
    return { name: one, url, branch }
  })
  await enqueueAll(parts.sql, parts.clock, repositoriesOf(webhook, followed).map((one) => `repository/${one}`))
}

async function secretOf(parts: Parts, name: string, signal: AbortSignal): Promise<string> {
  const reference = parts.repositories.config(name)?.webhook?.secret.secretRef
  if (reference !== undefined) return (await parts.resolveSecret(reference, signal)).value
  // Said in the same words whether or not there is such a repository: this route bears no token.
  throw new Failure({
    code: 'webhook-signature',
    subject: 'webhook',
    message: 'there is no webhook secret for that repository',
    hint: 'Name one in `spec.repositories.<name>.webhook.secret` of the workspace.',
  })
}
