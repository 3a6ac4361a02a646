import type { Channel, Notifiable } from '#model/config/notify.ts'
import { newestConfiguration } from '../drift/targets.ts'
import type { Parts } from '../parts.ts'

/** Where people of an environment are told: the workspace's channels and its own. `id` keeps those of equal names apart. */
export type PlacedChannel = { readonly id: string; readonly channel: Channel; readonly workspace: string }

/** As the newest snapshot has them: only the workspace's own repository says so. Failures are those of reading the configuration. */
export async function channelsOf(parts: Parts, environment: string): Promise<PlacedChannel[]> {
  const configuration = await newestConfiguration(parts)
  if (configuration === undefined) return []
  const { metadata, spec } = configuration.workspace
  const placed = (where: string, channels: readonly Channel[]): PlacedChannel[] => channels.map((channel) => ({ id: `${where}/${channel.name}`, channel, workspace: metadata.name }))
  return [...placed('workspace', spec.notify), ...placed('environment', configuration.environments.get(environment)?.spec.notify ?? [])]
}

export function wants({ channel }: PlacedChannel, kind: Notifiable): boolean {
  return channel.events.includes(kind)
}
