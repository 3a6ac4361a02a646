// Generated from the API's document by `npm run docs`: do not edit.

/** Sends a request and gives the JSON of its answer; fails with the answer's failure. */
export type Send = (method: string, path: string, query: Readonly<Record<string, string | undefined>>, body?: unknown) => Promise<unknown>

export type StatusAnswer = { workspace: string; snapshot: string | null; repositories: ({ name: string; url: string; branch: string; head: string | null; checkedAt: string | null; failure: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } | null })[]; problems: ({ code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> })[]; environments: ({ name: string; tier: string; modules: ({ name: string; repository: string; track: string; delivery: "synced" | "behind" | "progressing" | "failed" | "unknown"; verification: "passed" | "warned" | "failed" | "unknown" | "stale"; readinessOnly: boolean; run: string | null; snapshot: string | null; verifiedSince: string | null; note: string | null; failure: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } | null })[]; waiting: ({ run: string; waitingFor: string; message: string })[]; pauses: ({ module: string | null; reason: string; by: string; until: string })[] })[] }
export type RunsAnswer = { runs: ({ id: string; environment: string; kind: "change" | "deploy" | "verify"; state: "planning" | "waiting" | "delivering" | "verifying" | "succeeded" | "failed" | "halted" | "interrupted" | "rolled-back" | "superseded" | "cancelled"; waiting: ({ code: string; outcome: "allow" | "wait" | "refuse"; waitingFor?: "approval" | "environment" | "window" | "pause" | "person"; until?: string; message: string; hint?: string; by?: (string)[] })[]; actor: string; reason: string; ticket: string | null; snapshot: string; changes: ({ repository: string; sha: string; author: { name: string; email: string }; at: string; subject: string; trailers: Record<string, string> })[]; plan: { digest: string; summary: Record<string, number> } | null; steps: ({ module: string; dependsOn: (string)[]; delivery: "pending" | "delivering" | "delivered" | "failed" | "halted"; verification: "pending" | "passed" | "warned" | "failed" | "unknown"; readinessOnly: boolean; failure?: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> }; effects: ({ key: string; action: "created" | "configured" | "unchanged" | "deleted" | "skipped" | "unknown"; outcome?: string; changes: ({ path: string; state: "added" | "changed" | "removed" | "taken" | "yielded" | "held" | "contested"; from?: unknown; to?: unknown; owner?: string })[]; deferred?: string; handedOverFrom?: string; holdsState: boolean; failure?: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } })[] })[]; probes: ({ module: string; probe: string; kind: string; verdict: "passed" | "warned" | "failed" | "unknown"; samples: ({ signal: "latency" | "reachability" | "count" | "diff" | "boolean"; target: string; value?: unknown; unit?: string; threshold?: string; verdict: "passed" | "warned" | "failed" | "unknown"; message: string; collectedAt: string; durationMs: number })[] })[]; gates: ({ code: string; outcome: "allow" | "wait" | "refuse"; waitingFor?: "approval" | "environment" | "window" | "pause" | "person"; until?: string; message: string; hint?: string; by?: (string)[] })[]; approvals: ({ principal: string; reason: string; objects: (string)[]; at: string; planDigest: string })[]; failure: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } | null; record: { seq: number; digest: string } | null; createdAt: string; endedAt: string | null })[] }
export type ShowAnswer = { id: string; environment: string; kind: "change" | "deploy" | "verify"; state: "planning" | "waiting" | "delivering" | "verifying" | "succeeded" | "failed" | "halted" | "interrupted" | "rolled-back" | "superseded" | "cancelled"; waiting: ({ code: string; outcome: "allow" | "wait" | "refuse"; waitingFor?: "approval" | "environment" | "window" | "pause" | "person"; until?: string; message: string; hint?: string; by?: (string)[] })[]; actor: string; reason: string; ticket: string | null; snapshot: string; changes: ({ repository: string; sha: string; author: { name: string; email: string }; at: string; subject: string; trailers: Record<string, string> })[]; plan: { digest: string; summary: Record<string, number> } | null; steps: ({ module: string; dependsOn: (string)[]; delivery: "pending" | "delivering" | "delivered" | "failed" | "halted"; verification: "pending" | "passed" | "warned" | "failed" | "unknown"; readinessOnly: boolean; failure?: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> }; effects: ({ key: string; action: "created" | "configured" | "unchanged" | "deleted" | "skipped" | "unknown"; outcome?: string; changes: ({ path: string; state: "added" | "changed" | "removed" | "taken" | "yielded" | "held" | "contested"; from?: unknown; to?: unknown; owner?: string })[]; deferred?: string; handedOverFrom?: string; holdsState: boolean; failure?: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } })[] })[]; probes: ({ module: string; probe: string; kind: string; verdict: "passed" | "warned" | "failed" | "unknown"; samples: ({ signal: "latency" | "reachability" | "count" | "diff" | "boolean"; target: string; value?: unknown; unit?: string; threshold?: string; verdict: "passed" | "warned" | "failed" | "unknown"; message: string; collectedAt: string; durationMs: number })[] })[]; gates: ({ code: string; outcome: "allow" | "wait" | "refuse"; waitingFor?: "approval" | "environment" | "window" | "pause" | "person"; until?: string; message: string; hint?: string; by?: (string)[] })[]; approvals: ({ principal: string; reason: string; objects: (string)[]; at: string; planDigest: string })[]; failure: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } | null; record: { seq: number; digest: string } | null; createdAt: string; endedAt: string | null }
export type ApproveAnswer = { run: string | null }
export type ApproveBody = { reason: string; objects?: (string)[] }
export type CancelAnswer = { run: string | null }
export type CancelBody = { reason: string }
export type PlanAnswer = { environment: string; snapshot: string; plan: { digest: string; summary: Record<string, number> }; steps: ({ module: string; dependsOn: (string)[]; effects: ({ key: string; action: "created" | "configured" | "unchanged" | "deleted" | "skipped" | "unknown"; outcome?: string; changes: ({ path: string; state: "added" | "changed" | "removed" | "taken" | "yielded" | "held" | "contested"; from?: unknown; to?: unknown; owner?: string })[]; deferred?: string; handedOverFrom?: string; holdsState: boolean; failure?: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } })[]; failure?: { code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> } })[]; unknown: ({ code: string; subject: string; message: string; hint?: string; retry: "never" | "now" | "later"; fields?: Record<string, unknown> })[]; gates: ({ code: string; outcome: "allow" | "wait" | "refuse"; waitingFor?: "approval" | "environment" | "window" | "pause" | "person"; until?: string; message: string; hint?: string; by?: (string)[] })[]; outcome: "go" | "wait" | "refuse" }
export type PlanBody = { modules?: (string)[] }
export type DeployAnswer = { run: string | null }
export type DeployBody = { modules?: (string)[]; reason: string; ticket?: string | null }
export type VerifyAnswer = { run: string | null }
export type VerifyBody = { modules?: (string)[]; reason: string; ticket?: string | null }
export type PauseAnswer = { done: boolean }
export type PauseBody = { module?: string | null; reason: string; forMs: number }
export type ResumeAnswer = { done: boolean }
export type ResumeBody = { module?: string | null }
export type PrincipalsAnswer = { principals: ({ name: string; emails: (string)[]; grants: ({ role: "viewer" | "developer" | "approver" | "operator" | "admin"; environments: (string)[] })[] })[] }
export type CreateTokenAnswer = { name: string; token: string }
export type CreateTokenBody = { name: string; role: "viewer" | "developer" | "approver" | "operator" | "admin"; environments?: (string)[]; emails?: (string)[]; forMs?: number }
export type RevokeTokensAnswer = { done: boolean }
export type ExportRecordsAnswer = { publicKey: string; chains: ({ environment: string; records: (string)[]; checkpoints: ({ payloadType: string; payload: string; signatures: ({ keyid: string; sig: string })[] })[] })[] }

export type Client = ReturnType<typeof makeClient>

export function makeClient(send: Send) {
  return {
    /** Every module in every environment. */
    status: () => send('GET', `/v1/status`, {}) as Promise<StatusAnswer>,
    /** Runs, the newest first. */
    runs: (query: { environment?: string | undefined; module?: string | undefined; limit?: string | undefined } = {}) => send('GET', `/v1/runs`, query) as Promise<RunsAnswer>,
    /** One run: by its id, the end of its id, or `latest`. */
    show: (run: string) => send('GET', `/v1/runs/${encodeURIComponent(run)}`, {}) as Promise<ShowAnswer>,
    /** Approves the plan that a run waits with. */
    approve: (run: string, body: ApproveBody) => send('POST', `/v1/runs/${encodeURIComponent(run)}/approve`, {}, body) as Promise<ApproveAnswer>,
    /** Ends a run whose effects have not begun. */
    cancel: (run: string, body: CancelBody) => send('POST', `/v1/runs/${encodeURIComponent(run)}/cancel`, {}, body) as Promise<CancelAnswer>,
    /** What a delivery of the newest snapshot would do now: the path with apply left out. */
    plan: (environment: string, body: PlanBody) => send('POST', `/v1/environments/${encodeURIComponent(environment)}/plan`, {}, body) as Promise<PlanAnswer>,
    /** Starts a run for the newest snapshot. */
    deploy: (environment: string, body: DeployBody) => send('POST', `/v1/environments/${encodeURIComponent(environment)}/deploy`, {}, body) as Promise<DeployAnswer>,
    /** Starts a run that changes nothing and asks every probe. */
    verify: (environment: string, body: VerifyBody) => send('POST', `/v1/environments/${encodeURIComponent(environment)}/verify`, {}, body) as Promise<VerifyAnswer>,
    /** Holds deliveries to an environment, or of one module in it, until a time. */
    pause: (environment: string, body: PauseBody) => send('POST', `/v1/environments/${encodeURIComponent(environment)}/pause`, {}, body) as Promise<PauseAnswer>,
    /** Ends a pause before its time. */
    resume: (environment: string, body: ResumeBody) => send('POST', `/v1/environments/${encodeURIComponent(environment)}/resume`, {}, body) as Promise<ResumeAnswer>,
    /** Who may do what. */
    principals: () => send('GET', `/v1/principals`, {}) as Promise<PrincipalsAnswer>,
    /** Grants a role to a principal, new or known, and makes a token for it. */
    createToken: (body: CreateTokenBody) => send('POST', `/v1/tokens`, {}, body) as Promise<CreateTokenAnswer>,
    /** Takes a principal’s tokens back. */
    revokeTokens: (name: string) => send('POST', `/v1/principals/${encodeURIComponent(name)}/revoke`, {}) as Promise<RevokeTokensAnswer>,
    /** Every run record, with the checkpoints and the public key: all that it takes to verify them elsewhere. */
    exportRecords: (query: { environment?: string | undefined } = {}) => send('GET', `/v1/records`, query) as Promise<ExportRecordsAnswer>,
  }
}
