import type { Json, JsonObject } from '#lib/json.ts'
import { redactedDocument } from '#model/redacted.ts'
import type { Redact } from '#model/redacted.ts'
import type { NotificationRow } from '#store/notifications.ts'

/** What a webhook is sent. `id` is the same however often it comes: whoever has seen it, has. */
export type WebhookBody = { readonly id: string; readonly event: string; readonly environment: string; readonly module: string | null; readonly at: string; readonly message: string; readonly details: JsonObject }

export function webhookBody(workspace: string, { seq, at, kind, environment, module, body }: NotificationRow, redact: Redact): WebhookBody {
  const { message, ...details } = body
  return redactedDocument({ id: `${workspace}/${environment}/${seq}`, event: kind, environment, module, at: new Date(at).toISOString(), message, details }, redact)
}

/**
 * The same for Slack's incoming webhooks, and for what takes their JSON. What stands for itself is escaped as Slack asks, so that no text calls anybody
 * (`<!channel>`) or leads anywhere. https://docs.slack.dev/messaging/formatting-message-text
 */
export function slackBody({ event, environment, module, message }: WebhookBody): JsonObject & { readonly text: string } {
  const about = module === null || module === '@environment' ? environment : `${environment}/${module}`
  return { text: `*${escaped(about)}* · ${headlines[event] ?? event}\n${escaped(message)}` } satisfies Record<string, Json>
}

const headlines: Readonly<Record<string, string>> = {
  verdict: 'verification changed',
  flapping: 'a probe flaps',
  alert: 'goes on unverified',
  approval: 'waits for an approval',
  'run-failed': 'a run failed',
  drift: 'drift',
  rollback: 'rollback',
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
