import type { Channel, Notifiable } from '#model/config/notify.ts'
import { newestConfiguration } from '../drift/targets.ts'
import type { Parts } from '../parts.ts'
import { policyInForce } from '../policy.ts'

/** Where people of an environment are told: the workspace's channels and its own. `id` keeps those of equal names apart. */
export type PlacedChannel = { readonly id: string; readonly channel: Channel; readonly workspace: string }

/** The workspace's as the newest snapshot has them, the environment's as they were accepted. Failures are those of reading the configuration. */
export async function channelsOf(parts: Parts, environment: string): Promise<PlacedChannel[]> {
  const configuration = await newestConfiguration(parts)
  if (configuration === undefined) return []
  const { metadata, spec } = configuration.workspace
  const placed = (where: string, channels: readonly Channel[]): PlacedChannel[] => channels.map((channel) => ({ id: `${where}/${channel.name}`, channel, workspace: metadata.name }))
  const document = configuration.environments.get(environment)
  const own = document === undefined ? [] : (await policyInForce(parts.sql, document, configuration)).notify
  return [...placed('workspace', spec.notify), ...placed('environment', own)]
}

export function wants({ channel }: PlacedChannel, kind: Notifiable): boolean {
  return channel.events.includes(kind)
}
