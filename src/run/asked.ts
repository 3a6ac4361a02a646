import type { RunKind } from '#store/runs.ts'

/** What a person asks for beside what Git says. Without `modules`, all of the environment's. */
export type Asked = { readonly kind: Extract<RunKind, 'deploy' | 'verify'>; readonly by: string; readonly reason: string; readonly ticket: string | null; readonly modules?: readonly string[] }
