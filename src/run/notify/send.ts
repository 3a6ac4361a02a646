import { Failure, asFailure } from '#lib/failure.ts'
import type { Channel } from '#model/config/notify.ts'
import { signWebhook } from '#source/webhook.ts'
import { endMessage, openMessages } from '#store/notifications.ts'
import type { NotificationRow } from '#store/notifications.ts'
import type { Parts } from '../parts.ts'
import { channelsOf } from './channels.ts'
import type { PlacedChannel } from './channels.ts'
import { slackBody, webhookBody } from './message.ts'

/** What nobody took for so long is given up. */
const giveUpAfter = 86_400_000
const timeoutMs = 10_000
const lot = 20

/** What is wrong with a message, and not with who takes it: it is not sent again, so that those after it are. */
const refusals: readonly number[] = [400, 413, 415, 422]

/**
 * Sends what a channel has still to send, in order. Where it is not taken this throws, and the queue tries again, after longer and longer; what is a day old is given up.
 * A message that was sent, and not marked before the process died, is sent again with the same id.
 */
export async function sendMessages(parts: Parts, environment: string, id: string, signal: AbortSignal): Promise<void> {
  const { sql, clock } = parts
  const placed = (await channelsOf(parts, environment)).find((one) => one.id === id)
  for (;;) {
    const open = await openMessages(sql, environment, id, lot)
    for (const row of open) {
      const failure = placed === undefined ? gone(id) : await sent(parts, placed, row, signal)
      if (failure !== undefined) parts.log(`notification ${row.seq} of ${environment} is given up: ${failure.message}`)
      await endMessage(sql, row.seq, id, clock.now(), failure?.toJSON() ?? null)
    }
    if (open.length < lot) return
  }
}

/** Why it is given up; nothing where it was taken. Throws where it is to be tried again. */
async function sent(parts: Parts, { channel, workspace, id }: PlacedChannel, row: NotificationRow, signal: AbortSignal): Promise<Failure | undefined> {
  let failure: Failure
  try {
    const status = await post(parts, channel, workspace, row, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
    if (status >= 200 && status < 300) return undefined
    failure = new Failure({
      code: 'notification-failed',
      subject: `channel ${id}`,
      message: `the receiver of ${id} answered ${status}${status >= 300 && status < 400 ? ': redirects are not followed' : ''}`,
      hint: 'It is tried again for a day: mend the receiver, or the channel in `spec.notify`.',
      retry: refusals.includes(status) ? 'never' : 'later',
    })
  } catch (error) {
    signal.throwIfAborted()
    const cause = asFailure(error, `channel ${id}`)
    const why = error instanceof Error && error.name === 'TimeoutError' ? `no answer within ${timeoutMs / 1_000} s` : cause.message
    failure = new Failure({ code: 'notification-failed', subject: `channel ${id}`, message: `the receiver of ${id} was not told: ${why}`, ...(cause.hint === undefined ? {} : { hint: cause.hint }), retry: 'later' })
  }
  if (failure.retry === 'never' || parts.clock.now() - row.at > giveUpAfter) return failure
  throw failure
}

/** The answer's status. A name that leads to a link-local or metadata address is not dialled, and no answer leads elsewhere. */
async function post(parts: Parts, channel: Channel, workspace: string, row: NotificationRow, signal: AbortSignal): Promise<number> {
  const value = async (of: string | { readonly secretRef: string }): Promise<string> => (typeof of === 'string' ? of : (await parts.resolveSecret(of.secretRef, signal)).value)
  const url = urlOf(await value('slack' in channel ? channel.slack.url : channel.webhook.url))
  const body = webhookBody(workspace, row, (text) => parts.redactor.redact(text))
  const json = JSON.stringify('slack' in channel ? slackBody(body) : body)
  const signed = 'slack' in channel ? {} : { 'x-plumbline-signature-256': signWebhook(await value(channel.webhook.secret), json), 'x-plumbline-event': body.event, 'x-plumbline-id': body.id }
  const addresses = await parts.resolve(url.hostname, signal)
  const { status } = await parts.http({ method: 'POST', url, addresses, headers: { 'user-agent': 'plumbline', ...signed }, json, maxBytes: 1_024 }, signal)
  return status
}

function urlOf(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '') return url
  throw new Failure({ code: 'address-invalid', subject: 'url', message: 'its URL is no http or https URL without credentials', hint: 'Mend the URL, or the secret that holds it.' })
}

function gone(id: string): Failure {
  return new Failure({ code: 'notification-failed', subject: `channel ${id}`, message: `there is no channel ${id} any more` })
}
