import type { FailureJson } from '#lib/failure.ts'
import { showKey, type ObjectKey } from '#model/resource.ts'

/** What is not known of a snapshot. A module that cannot be read declares who knows what, which is not nothing. */
export type Doubts = {
  /** Who may declare an object, although nobody can tell: `the module web, which cannot be rendered`. */
  readonly mayDeclare: (place: string, key: ObjectKey) => string | undefined
  /** Why it is not known whether the module that holds an object still declares it, where it would go to `heir`; in the same words. */
  readonly mayKeep: (holder: string, heir: string, key: ObjectKey) => string | undefined
}

export const noDoubts: Doubts = { mayDeclare: () => undefined, mayKeep: () => undefined }

export function pruneUnsure(key: ObjectKey, who: string): FailureJson {
  return {
    code: 'prune-unsure',
    subject: showKey(key),
    message: `${showKey(key)} is no longer declared here and stays for now: it may be declared by ${who}`,
    hint: 'Mend that module: the object is then deleted, or handed over, without anybody’s help.',
    retry: 'later',
  }
}

export function handOverUnsure(key: ObjectKey, holder: string, heir: string, who: string): FailureJson {
  return {
    code: 'hand-over-unsure',
    subject: showKey(key),
    message: `${showKey(key)} is held by ${holder} and is not handed over to ${heir}: it may still be declared by ${who}`,
    hint: `Mend ${holder}, or leave the object out of ${heir}.`,
    retry: 'later',
    fields: { modules: [holder, heir] },
  }
}
