import type { AdmissionRequest } from './admission-request.ts'

/** What an audit log would hold of a request beside who asked for what: annotations of policies and webhooks. */
export type AuditEntry = {
  readonly user: string
  readonly operation: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
}

const longest = 1000

/** The last annotations, for whoever wants to see what `Audit` did: in memory alone. */
export class AuditLog {
  readonly #entries: AuditEntry[] = []

  annotate({ user, operation, kind, namespace, name }: AdmissionRequest, annotations: Readonly<Record<string, string>>): void {
    if (Object.keys(annotations).length === 0) return
    const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
    this.#entries.push({ user: user.name, operation, resource, namespace, name, annotations })
    if (this.#entries.length > longest) this.#entries.splice(0, longest / 10)
  }

  entries(): readonly AuditEntry[] {
    return this.#entries
  }
}
