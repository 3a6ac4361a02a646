import { randomUUID } from 'node:crypto'
import type { Attributes } from '../authorization/attributes.ts'
import type { User } from '../request.ts'
import { type Audited, auditEvent } from './audit-event.ts'
import { type AuditPolicy, isAudited } from './audit-policy.ts'
import type { AuditSink } from './audit-sink.ts'

/** What was done to this server, told to whoever wants to keep it. */
export class AuditTrail {
  readonly #policy: AuditPolicy
  readonly #sinks = new Set<AuditSink>()
  /** By the request's user, who is one object a request. */
  readonly #annotations = new WeakMap<User, Record<string, string>>()

  constructor(policy: AuditPolicy) {
    this.#policy = policy
  }

  /** Returns what ends it; what was written until then is kept first. */
  add(sink: AuditSink): () => Promise<void> {
    this.#sinks.add(sink)
    return async () => {
      this.#sinks.delete(sink)
      await sink.stop()
    }
  }

  wants(attributes: Attributes): boolean {
    return this.#sinks.size > 0 && isAudited(this.#policy, attributes)
  }

  annotate(user: User, annotations: Readonly<Record<string, string>>): void {
    if (this.#sinks.size > 0) this.#annotations.set(user, { ...this.#annotations.get(user), ...annotations })
  }

  tell(audited: Omit<Audited, 'annotations'>): void {
    const event = auditEvent({ ...audited, annotations: this.#annotations.get(audited.as) ?? {} }, randomUUID())
    for (const sink of this.#sinks) sink.write(event)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sinks].map((sink) => sink.stop()))
    this.#sinks.clear()
  }
}
