import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startApi } from '#api/server.ts'
import type { OtlpEndpoint } from '#clients/otlp/exporter.ts'
import type { Clock } from '#lib/clock.ts'
import { asFailure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'
import { redactedFailure } from '#model/redacted.ts'
import { resume } from '#run/follow.ts'
import { startWatching } from '#run/drift/watch-loop.ts'
import { startLoop } from '#run/loop.ts'
import type { Parts } from '#run/parts.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { ensureAdmin } from './bootstrap.ts'
import { openParts } from './open-parts.ts'

export type ControlPlaneOptions = {
  /** Everything of this installation that is on disk: keys, mirrors, the token, and the store where it is embedded. */
  readonly dir: string
  /** A PostgreSQL server in place of the embedded store. */
  readonly databaseUrl?: string
  readonly workspace: { readonly url: string; readonly branch: string }
  /** One file, or several, of which the first that has a name wins. */
  readonly kubeconfig: string | readonly string[]
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Where spans of runs are sent to; nowhere, if left out. */
  readonly traces?: OtlpEndpoint
  /** How long a process may be silent before others take its work over; 30 s, if left out. */
  readonly leaseMs?: number
  /** The process's environment: for secret references, and (PATH and proxies) for git and renderers. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (line: string) => void
}

export type ControlPlane = {
  readonly url: string
  /** An admin's. */
  readonly token: string
  readonly webhookSecret: string
  readonly parts: Parts
  stop(): Promise<void>
}

/** Puts the control plane together and starts it. What it opened is closed again when a later part fails. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dir, clock } = options
  // Whatever leaves this process, leaves it without the secrets that the process has seen: its log, its store, its records, its answers, its last words.
  const redactor = new Redactor()
  const opened: (() => unknown)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of opened.toReversed()) await close()
  }
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    // Keys and tokens lie here: never in anybody's commit.
    await writeFile(join(dir, '.gitignore'), '*\n')
    const { parts, store } = await openParts(options, redactor, (close) => opened.push(close))
    const token = await ensureAdmin(store, join(dir, 'token'), clock.now())
    // What was known before a restart is followed at once, also while no repository can be reached.
    const newest = await newestSnapshot(store)
    if (newest !== undefined) await resume(parts, newest)
    const loop = await startLoop(parts, store, 16, options.leaseMs)
    opened.push(() => loop.stop())
    const watching = await startWatching(parts, store, options.leaseMs)
    opened.push(() => watching.stop())
    const stopping = new AbortController()
    const api = await startApi({ parts, store, host: options.host, port: options.port, stopping: stopping.signal })
    opened.push(() => {
      stopping.abort()
      return api.stop()
    })
    opened.push(await announce(join(dir, 'server.json'), api.url))
    return { url: api.url, token, webhookSecret: parts.webhookSecret, parts, stop: closeAll }
  } catch (error) {
    await closeAll()
    throw redactedFailure(asFailure(error, 'the control plane'), (text) => redactor.redact(text))
  }
}

/** Where the API is: whoever looks for it finds it whole. Returns what takes it away again. */
async function announce(file: string, url: string): Promise<() => Promise<void>> {
  await writeFile(`${file}.new`, `${JSON.stringify({ url, pid: process.pid })}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return () => rm(file, { force: true })
}
