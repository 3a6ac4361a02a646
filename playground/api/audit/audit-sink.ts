import type { JsonObject } from '#lib/json.ts'

/** Where audit events go. Nobody waits for it: a request is answered whether or not its event is kept. */
export type AuditSink = {
  write(event: JsonObject): void
  /** Resolves when what was written so far is kept, or given up. */
  stop(): Promise<void>
}
