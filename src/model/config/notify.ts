import { z } from 'zod'
import { name, secretRef, uniqueNames } from './parts.ts'

/** What people can be told of. */
export const notifiable = ['verdict', 'flapping', 'alert', 'approval', 'run-failed', 'drift', 'rollback'] as const
export type Notifiable = (typeof notifiable)[number]

const url = z.string().max(2_048).regex(/^https?:\/\/[^\s@]+$/, 'expected an http or https URL without credentials')

const events = z
  .array(z.enum(notifiable))
  .min(1)
  .default([...notifiable])
  .describe('What it is told of: a verdict that changes, a probe that flaps, a delivery that went on although it failed to verify (`alert`), a run that waits for an approval, one that failed, drift (a digest), a rollback. All, if left out.')

const channelName = name.describe('Its name: what was not sent yet stays with it.')

const webhook = z.strictObject({
  name: channelName,
  webhook: z
    .strictObject({
      url: z.union([url, secretRef]).describe('Where it is posted to, as JSON. Redirects are not followed.'),
      secret: secretRef.describe('What signs it: `X-Plumbline-Signature-256: sha256=<HMAC-SHA-256 of the body>`.'),
    })
    .describe('A signed webhook.'),
  events,
})

const slack = z.strictObject({
  name: channelName,
  slack: z.strictObject({ url: secretRef.describe('The URL of the incoming webhook: whoever knows it can post.') }).describe('Slack, or what takes the same JSON (Mattermost, Rocket.Chat).'),
  events,
})

/** Where people are told of what happens. */
export const notify = z
  .array(z.union([webhook, slack]))
  .superRefine(uniqueNames)
  .default([])
export type Channel = z.output<typeof notify>[number]
