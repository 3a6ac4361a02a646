import type { SqlError } from '../store-failure.ts'

/** What the main thread asks of the worker. Answers come in the order of the questions. */
export type Ask =
  | { readonly id: number; readonly do: 'query'; readonly text: string; readonly params: readonly (string | null)[] }
  | { readonly id: number; readonly do: 'script'; readonly text: string }
  | { readonly id: number; readonly do: 'close' }

export type Answer =
  | { readonly id: number; readonly rows: Record<string, unknown>[] }
  /** The statement failed, and nothing else. */
  | { readonly id: number; readonly error: SqlError }
  | { readonly notified: string; readonly payload: string }
  /** The engine is beyond use (a full disk, an input/output error): it has to be opened again, and replays its log. */
  | { readonly fatal: SqlError }
  | { readonly ready: true }
