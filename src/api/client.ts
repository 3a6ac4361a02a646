// Generated from the API's document by `npm run docs`: do not edit.

/** What a query may hold; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

/** Sends a request and gives the JSON of its answer; fails with the answer's failure. */
export type Send = (method: string, path: string, query: Query, body?: unknown) => Promise<unknown>

export type Adoption = {
  finding: string
  state: 'asked' | 'proposed' | 'refused' | 'overdue' | 'withdrawn' | 'delivered'
  by: string
  reason: string
  askedAt: string
  /** Until when it should be delivered. */
  deadline: string
  repository: string | null
  branch: string
  to: 'branch' | 'deployed'
  commit: string | null
  /** Its page, where the repository has a forge. */
  pullRequest: string | null
  edits: Edit[]
  /** Generated objects that get another name, and with them what refers to them rolls out. */
  renamed: { from: string; to: string }[]
  /** What does not render, so that nothing is proven for it. */
  unproven: string[]
  failure: Failure | null
  /** The run that delivered it, and the commit of the repository that it had; null in them where it is not known. */
  delivered: { run: string | null; commit: string | null } | null
}

export type Chain = {
  environment: string
  /** How many records the chain has, the pruned ones among them. */
  size: number
  /** What is left of the records that were pruned. */
  start: { size: number; head: string; roots: string[] } | null
  /** Replacements of the key that are older than what was pruned. */
  rotations: { record: string; checkpoint: Envelope }[]
  checkpoints: Envelope[]
  /** Each record as it was written: in-toto statements in JSON, in order, as many as fit a page. */
  records: string[]
  /** With `sign=each`: of each of these records, in the same order. */
  signatures?: { keyid: string; sig: string }[]
}

export type Commit = {
  repository: string
  sha: string
  author: { name: string; email: string }
  at: string
  subject: string
  trailers: Record<string, string>
}

export type Decision = {
  code: string
  outcome: 'allow' | 'wait' | 'refuse'
  waitingFor?: 'approval' | 'environment' | 'window' | 'pause' | 'person'
  until?: string
  message: string
  hint?: string
  by?: string[]
}

/** A change of a file: where it begins in the file as it was, and what becomes of what. */
export type Edit = { file: string; line: number; column: number; before: string; after: string }

export type Effect = {
  key: string
  action: 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped' | 'unknown'
  outcome?: string
  changes: FieldChange[]
  deferred?: string
  handedOverFrom?: string
  holdsState: boolean
  holdsData?: string[]
  failure?: Failure
}

/** A DSSE envelope. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }

export type EnvironmentStatus = {
  name: string
  tier: string
  /** Git no longer has it: nothing is delivered there, and nothing is deleted by itself. */
  gone: boolean
  /** How many objects the inventory holds there. */
  holds: number
  /** What the environment’s own probes, and those of its last change as a whole, say; null where it has none. */
  verification: 'passed' | 'warned' | 'failed' | 'unknown' | 'stale' | null
  /** Why its verification is `stale`: its time is over, something changed underneath, or a run is at work on it; null where it is not. */
  stale: string | null
  /** Of the environment itself; `change/…` of the last change as a whole. */
  probes: ProbeState[]
  modules: ModuleStatus[]
  waiting: { run: string; waitingFor: string; message: string }[]
  pauses: { module: string | null; reason: string; by: string; until: string }[]
  watches: Watch[]
  /** Why the newest head of its records could not be published; null where it could. */
  unpublished: Failure | null
}

export type Event = {
  seq: number
  at: string
  kind: 'run' | 'module' | 'effect' | 'status' | 'pause' | 'snapshot' | 'repository' | 'problems' | 'record' | 'verdict' | 'finding' | 'drift' | 'watch' | 'audit'
  data: Record<string, unknown>
}

export type Failure = {
  code: string
  subject: string
  message: string
  hint?: string
  retry: 'never' | 'now' | 'later'
  fields?: Record<string, unknown>
}

export type FieldChange = {
  path: string
  state: 'added' | 'changed' | 'removed' | 'taken' | 'yielded' | 'held' | 'contested'
  from?: unknown
  to?: unknown
  owner?: string
  /** The value is live already: nothing changes there but who owns it. */
  already?: true
}

/** One drift: an object and a cause. What we declared and somebody changed, who, since when, and where it is declared. */
export type Finding = {
  id: string
  environment: string
  module: string
  target: string
  object: string
  cause: 'missing' | 'recreated' | 'unknown' | 'manual' | 'controller' | 'hotfix' | 'orphan'
  /** Values of Secrets are null, and `secret` says so. `instead`: the list item that is there in the place of the one that it is gone with. */
  fields: { path: string; declared: unknown | null; live: unknown | null; secret?: true; instead?: string }[]
  /** The field managers that made it so, where they left a trace. */
  manager: string | null
  /** The person, where an audit source names one. */
  person: string | null
  /** When it was made so; null where nobody says. */
  onset: string | null
  seenAt: string
  updatedAt: string
  /** How often it was seen to become so, or otherwise. */
  count: number
  state: 'open' | 'held' | 'accepted' | 'contested' | 'adopting' | 'reverting' | 'resolved'
  /** What the policy says is done about it. */
  decision: 'ignore' | 'report' | 'hold' | 'revert' | 'adopt'
  message: string
  source: Source | null
  accepted: { by: string; reason: string; until: string } | null
  /** The writers that go on moving it, where it is contested. */
  contested: string[]
  /** The run that reverts it, or did last. */
  run: string | null
  failure: Failure | null
  resolvedAt: string | null
}

/** A probe’s verdict became another one. */
export type Flip = { at: string; from: string; to: string; message: string }

export type Grant = { role: 'viewer' | 'developer' | 'approver' | 'operator' | 'admin'; environments: string[] }

export type LeftOut = { object: string; why: string; hint: string | null }

export type ModuleStatus = {
  name: string
  repository: string
  track: string
  delivery: 'synced' | 'behind' | 'progressing' | 'failed' | 'unknown'
  verification: 'passed' | 'warned' | 'failed' | 'unknown' | 'stale'
  /** Why its verification is `stale`: its time is over, something changed underneath, or a run is at work on it; null where it is not. */
  stale: string | null
  readinessOnly: boolean
  run: string | null
  snapshot: string | null
  verifiedSince: string | null
  /** It is held at an older snapshot, whatever Git says. */
  pinned: Pin | null
  /** Since when its two facts are what they are. */
  since: string
  /** When it was last looked at. */
  verifiedAt: string | null
  /** At least one of its probes changes its verdict again and again. */
  flapping: boolean
  probes: ProbeState[]
  /** How many findings of it are neither resolved nor accepted. */
  findings: number
  /** How many of these are on their way back to Git. */
  adopting: number
  /** How many of these a run is to make as declared again. */
  reverting: number
  note: string | null
  failure: Failure | null
}

export type Moment = {
  at: string
  environment: string
  kind: 'change' | 'run' | 'approval' | 'verdict' | 'finding' | 'policy' | 'context'
  /** None: all of the environment. */
  modules: string[]
  text: string
  /** What the modules are found to be from here on, where it tells that. */
  verdict: 'passed' | 'warned' | 'failed' | 'unknown' | 'stale' | null
  /** Since when it is so; earlier than `at`, when it was known. */
  onset: string | null
  by: string | null
  /** The run, finding or commit. */
  ref: string | null
  /** The record’s number in its environment’s chain. */
  record: number | null
}

export type Operation = {
  name: string
  environment: string
  about: string
  steps: { name: string; kind: 'probe' | 'command' | 'sql' | 'patch' | 'wait' | 'approval'; about: string }[]
  schedule: string | null
  nextAt: string | null
  last: {
    run: string
    state: 'planning' | 'waiting' | 'delivering' | 'verifying' | 'succeeded' | 'failed' | 'halted' | 'interrupted' | 'rolled-back' | 'superseded' | 'cancelled'
  } | null
}

/** A rollback’s is lifted when Git says something else than what was rolled back; a person’s by a person. */
export type Pin = {
  snapshot: string
  by: 'rollback' | 'person'
  actor: string
  reason: string
  ticket: string | null
  at: string
  run: string | null
}

export type PlanSummary = { digest: string; summary: Record<string, number> }

export type Principal = { name: string; emails: string[]; grants: Grant[] }

export type ProbeResult = {
  /** `@environment` for a change as a whole. */
  module: string
  probe: string
  kind: string
  verdict: 'passed' | 'warned' | 'failed' | 'unknown'
  /** How often it was asked: not every sample is kept. */
  asked: number
  samples: Sample[]
  before?: Sample
  /** Of the last `of` samples so many had to pass, and so many did. */
  window?: { passed: number; of: number; needed: number }
  /** Its verdict changes again and again: how, until now. */
  flapping?: Flip[]
}

export type ProbeState = {
  probe: string
  kind: string
  verdict: 'passed' | 'warned' | 'failed' | 'unknown'
  /** Since when it is so: when the first sample of this verdict was collected. */
  onset: string
  askedAt: string
  /** The last sample that told the verdict before. */
  lastBefore: string | null
  message: string
  /** Where it could not be asked: the code of why. */
  code?: string
  /** And what helps. */
  hint?: string
  /** What lies just before. */
  causes: { kind: 'run' | 'finding' | 'context' | 'pause' | 'policy'; id: string; at: string; about: string }[]
  /** Its verdict changes again and again. */
  flapping: boolean
  /** Its verdict changed again and again, and since then no more: told for a day. */
  quietSince: string | null
  /** The newest changes of its verdict, in order. */
  history: Flip[]
}

export type Repository = { name: string; url: string; branch: string; head: string | null; checkedAt: string | null; failure: Failure | null }

/** A run: which commit by whom and why, what would change, what did change, what the probes saw. */
export type Run = {
  id: string
  environment: string
  kind: 'change' | 'deploy' | 'verify' | 'policy' | 'prune' | 'forget' | 'revert' | 'rollback' | 'operation'
  state: 'planning' | 'waiting' | 'delivering' | 'verifying' | 'succeeded' | 'failed' | 'halted' | 'interrupted' | 'rolled-back' | 'superseded' | 'cancelled'
  waiting: Decision[]
  actor: string
  reason: string
  ticket: string | null
  snapshot: string
  operation?: RunOperation
  /** With the kind `rollback`: what asked for it, and the run that is rolled back, where one was named. */
  rollback?: { of: string | null; by: 'verdict' | 'person' }
  changes: Commit[]
  plan: PlanSummary | null
  steps: Step[]
  probes: ProbeResult[]
  gates: Decision[]
  approvals: { principal: string; reason: string; objects: string[]; at: string; planDigest: string }[]
  failure: Failure | null
  record: { seq: number; digest: string } | null
  createdAt: string
  endedAt: string | null
}

export type RunOperation = {
  name: string
  /** The step that it begins with, where a person says so. */
  from: string | null
  /** The time of the schedule that it is for. */
  slot: string | null
  steps: {
    name: string
    kind: 'probe' | 'command' | 'sql' | 'patch' | 'wait' | 'approval' | 'pre' | 'post'
    state: 'pending' | 'started' | 'waiting' | 'done' | 'failed' | 'unknown' | 'skipped'
    message: string | null
    failure: Failure | null
    probes: {
      probe: string
      kind: string
      verdict: 'passed' | 'warned' | 'failed' | 'unknown'
      asked: number
      samples: Sample[]
    }[]
    startedAt: string | null
    endedAt: string | null
  }[]
}

export type Sample = {
  signal: 'latency' | 'reachability' | 'count' | 'diff' | 'boolean'
  target: string
  value?: unknown
  unit?: string
  threshold?: string
  verdict: 'passed' | 'warned' | 'failed' | 'unknown'
  message: string
  /** Where it could not be asked: the code of why. */
  code?: string
  /** And what helps. */
  hint?: string
  collectedAt: string
  durationMs: number
  /** Where several targets were asked side by side, what each answered. */
  across?: {
    signal: 'latency' | 'reachability' | 'count' | 'diff' | 'boolean'
    target: string
    value?: unknown
    unit?: string
    threshold?: string
    verdict: 'passed' | 'warned' | 'failed' | 'unknown'
    message: string
    /** Where it could not be asked: the code of why. */
    code?: string
    /** And what helps. */
    hint?: string
    collectedAt: string
    durationMs: number
  }[]
}

export type Source = {
  repository: string
  /** The one that decides the field: an overlay’s patch before its base. */
  file: string
  line: number
  column: number
  /** The one that last touched the line. */
  commit: { sha: string; author: string; at: string; subject: string } | null
}

/** Every module in every environment: delivery and verification, two facts. */
export type Status = {
  workspace: string
  snapshot: string | null
  /** None for a caller who may not look at every environment. */
  repositories: Repository[]
  /** None for a caller who may not look at every environment. */
  problems: Failure[]
  environments: EnvironmentStatus[]
}

export type Step = {
  module: string
  dependsOn: string[]
  delivery: 'pending' | 'delivering' | 'delivered' | 'failed' | 'halted'
  verification: 'pending' | 'passed' | 'warned' | 'failed' | 'unknown'
  readinessOnly: boolean
  /** Delivered, and its verification is not good: what that decided. */
  onFailure?: 'continue' | 'alert' | 'halt' | 'rollback'
  failure?: Failure
  /** Where it is held at another snapshot than the run’s. */
  snapshot?: string
  effects: Effect[]
  proof?: string[]
}

export type Timeline = {
  since: string
  until: string
  /** What modules were found to be when it begins, by the newest 500 records of the 30 days before; a module that is looked at has one a day. What is in none of them is left out. */
  standing: { environment: string; module: string; verdict: 'passed' | 'warned' | 'failed' | 'unknown' | 'stale' }[]
  moments: Moment[]
  /** Whether nothing was left out: of very many records only the newest are told. */
  whole: boolean
}

/** How the watch of a target stands. */
export type Watch = {
  environment: string
  target: string
  driver: string
  /** `down`: nothing is heard of some of it. `unwatched`: no process watches it. Either way nobody knows of what happens there. */
  state: 'starting' | 'watching' | 'down' | 'unwatched'
  since: string
  /** How many are held. */
  objects: number
  /** When all that there is was seen last. */
  listedAt: string | null
  failure: Failure | null
}

export type YieldedField = {
  module: string
  object: string
  path: string
  to: string
  /** Its controller owns it, so that an apply without it does not delete it. */
  isSafe: boolean
}

export type StatusAnswer = Status

export type RunsAnswer = { runs: Run[] }

export type ShowAnswer = Run

export type ApproveAnswer = { run: string | null }

export type ApproveBody = {
  /** The digest of the plan that was read: where the run waits with another one by now, nothing is approved. */
  plan: string
  /** Why; kept in the record. */
  reason: string
  /** Objects that hold data and may be deleted or replaced, each as the plan names it. */
  objects?: string[]
}

export type CancelAnswer = { run: string | null }

export type CancelBody = {
  /** Why; kept in the record. */
  reason: string
}

export type PlanAnswer = {
  environment: string
  snapshot: string
  plan: PlanSummary
  steps: { module: string; dependsOn: string[]; effects: Effect[]; proof?: string[]; failure?: Failure }[]
  unknown: Failure[]
  gates: Decision[]
  outcome: 'go' | 'wait' | 'refuse'
}

export type PlanBody = {
  /** Only these modules; all, if left out. */
  modules?: string[]
}

export type DeployAnswer = { run: string | null }

export type DeployBody = {
  /** Only these modules; all, if left out. */
  modules?: string[]
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type VerifyAnswer = { run: string | null }

export type VerifyBody = {
  /** Only these modules; all, if left out. */
  modules?: string[]
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type PruneAnswer = { run: string | null }

export type PruneBody = {
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type ForgetAnswer = { run: string | null }

export type ForgetBody = {
  /** Only these modules; all, if left out. */
  modules?: string[]
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type PauseAnswer = { done: boolean }

export type PauseBody = {
  module?: string | null
  /** Why; kept in the record. */
  reason: string
  /** For how long, in milliseconds: a pause always has an end. */
  forMs: number
}

export type ResumeAnswer = { done: boolean }

export type ResumeBody = { module?: string | null }

export type PrincipalsAnswer = { principals: Principal[] }

export type CreateTokenAnswer = {
  name: string
  /** Shown once: only its digest is kept. */
  token: string
  expiresAt: string | null
  /** All that the principal may do now, and so what this token may. */
  grants: Grant[]
  emails: string[]
}

export type CreateTokenBody = {
  name: string
  role: 'viewer' | 'developer' | 'approver' | 'operator' | 'admin'
  /** Names of environments, or globs; `*` is all, and the whole workspace. */
  environments?: string[]
  /** Addresses that the principal commits with. */
  emails?: string[]
  /** How long the token is good, in milliseconds; until it is revoked, if left out. */
  forMs?: number
}

export type RevokeTokensAnswer = { done: boolean }

export type ExportRecordsAnswer = {
  /** Ed25519, PEM. */
  publicKey: string
  chains: Chain[]
}

export type TimelineAnswer = Timeline

export type RotateRecordKeyAnswer = { from: string; to: string; environments: string[] }

export type RotateRecordKeyBody = {
  /** Why; kept in the record. */
  reason: string
}

export type FindingsAnswer = {
  /** The most serious first. */
  findings: Finding[]
  /** How many there are beside these. */
  more: number
  /** How many, of all, are open or contested. */
  waiting: number
  /** Why it is not known which environments there are; the findings are then those of all in which something was found. */
  failure: Failure | null
  /** Whether anybody would know of more. */
  watches: Watch[]
}

export type FieldsAnswer = {
  objects: {
    object: string
    /** Declared, and another rightly has its way with it; `yielded` tells what had better be declared no more. */
    delegated: {
      path: string
      declared: unknown | null
      live: unknown | null
      /** Who rightly has its way with it. */
      to: string
    }[]
    /** Never declared. */
    emergent: {
      path: string
      /** Null where nobody owns it: a default, or what a webhook put in. */
      owner: string | null
    }[]
    /** Why nothing can be said of it. */
    failure: Failure | null
  }[]
}

export type FindingAnswer = {
  finding: Finding
  /** Its way back to Git, or the last one; null where it was never asked for. */
  adoption: Adoption | null
  /** What became of it, the newest last. */
  history: { at: string; what: string; actor: string; reason: string }[]
}

export type RevertAnswer = { run: string | null }

export type RevertBody = {
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type AcceptAnswer = { done: boolean }

export type AcceptBody = {
  /** Why; kept in the record. */
  reason: string
  /** When it comes back; within a year. */
  until: string
}

export type AdoptAnswer = { done: boolean }

export type AdoptBody = {
  /** Why; kept in the record. */
  reason: string
}

export type AdoptionAnswer = {
  /** The last one; null where it was never asked for. */
  adoption: Adoption | null
}

export type AdoptionPatchAnswer = {
  repository: string
  /** What it applies to. */
  commit: string
  /** As `git apply` takes it; empty where Git says so already. */
  patch: string
  edits: Edit[]
  renamed: { from: string; to: string }[]
  unproven: string[]
}

export type YieldedAnswer = { fields: YieldedField[] }

export type YieldAnswer = { repository: string; branch: string; commit: string; pullRequest: string | null; edits: Edit[] }

export type YieldBody = {
  /** A module’s name. */
  module: string
  /** The object, by its key or as it is shown (`Deployment shop/web`). */
  object: string
  /** Why; kept in the record. */
  reason: string
}

export type RollbackAnswer = { run: string | null }

export type RollbackBody = {
  /** A module’s name. */
  module?: string
  /** All that this run changed. */
  run?: string
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type PinAnswer = { run: string | null }

export type PinBody = {
  /** A module’s name. */
  module: string
  /** The snapshot, or the run that delivered it; where it is now, if left out. */
  to?: string | null
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type UnpinAnswer = { done: boolean }

export type UnpinBody = {
  /** A module’s name. */
  module: string
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type OperationsAnswer = { operations: Operation[] }

export type OperateAnswer = { run: string | null }

export type OperateBody = {
  /** The step to begin with, in place of the first: what is before it is left out. */
  from?: string | null
  /** Why; kept in the record. */
  reason: string
  ticket?: string | null
}

export type ImportAnswer = {
  module: string
  files: {
    /** From the module’s own folder. */
    path: string
    content: string
  }[]
  /** What was left out, and why. Secrets are, always. */
  left: LeftOut[]
}

export type ProposeImportAnswer = {
  branch: string
  commit: string
  /** Its page, where the repository has a forge. */
  pullRequest: string | null
  left: LeftOut[]
}

export type ProposeImportBody = {
  /** The namespace to import. */
  namespace: string
  /** The new module’s name; the namespace’s, if left out. */
  module?: string
  /** The cluster, where the environment has several. */
  target?: string
  /** Where it is committed, on a branch. */
  repository: string
  /** Why; kept in the record. */
  reason: string
}

export type Client = ReturnType<typeof makeClient>

export function makeClient(send: Send) {
  return {
    /** Every module in every environment that the caller may look at. */
    status: () =>
      send('GET', '/v1/status', {}) as Promise<StatusAnswer>,
    /** Runs, the newest first: those of environments that the caller may look at. */
    runs: (query: { environment?: string | undefined; module?: string | undefined; only?: 'open' | 'to-approve' | 'begun' | undefined; limit?: number | undefined } = {}) =>
      send('GET', '/v1/runs', query) as Promise<RunsAnswer>,
    /** One run: by its id, the end of its id, or `latest`. */
    show: (run: string) =>
      send('GET', `/v1/runs/${encodeURIComponent(run)}`, {}) as Promise<ShowAnswer>,
    /** Approves the plan that a run waits with: the one whose digest the request bears, and no other. */
    approve: (run: string, body: ApproveBody) =>
      send('POST', `/v1/runs/${encodeURIComponent(run)}/approve`, {}, body) as Promise<ApproveAnswer>,
    /** Ends a run whose effects have not begun. */
    cancel: (run: string, body: CancelBody) =>
      send('POST', `/v1/runs/${encodeURIComponent(run)}/cancel`, {}, body) as Promise<CancelAnswer>,
    /** What a delivery of the newest snapshot would do now: the path with apply left out. */
    plan: (environment: string, body: PlanBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/plan`, {}, body) as Promise<PlanAnswer>,
    /** Starts a run for the newest snapshot. */
    deploy: (environment: string, body: DeployBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/deploy`, {}, body) as Promise<DeployAnswer>,
    /** Starts a run that changes nothing and asks every probe. */
    verify: (environment: string, body: VerifyBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/verify`, {}, body) as Promise<VerifyAnswer>,
    /** Deletes what an environment holds that is gone from Git, by a run that the environment’s last policy gates. */
    prune: (environment: string, body: PruneBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/prune`, {}, body) as Promise<PruneAnswer>,
    /** Holds no more what Git no longer has there, and leaves it where it is: of an environment that is gone, or of modules that are. */
    forget: (environment: string, body: ForgetBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/forget`, {}, body) as Promise<ForgetAnswer>,
    /** Holds deliveries to an environment, or of one module in it, until a time. */
    pause: (environment: string, body: PauseBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/pause`, {}, body) as Promise<PauseAnswer>,
    /** Ends a pause before its time. */
    resume: (environment: string, body: ResumeBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/resume`, {}, body) as Promise<ResumeAnswer>,
    /** Who may do what. */
    principals: () =>
      send('GET', '/v1/principals', {}) as Promise<PrincipalsAnswer>,
    /** Grants a role to a principal, new or known, and makes a token for it. A token may do all that its principal may: the answer tells what that is. */
    createToken: (body: CreateTokenBody) =>
      send('POST', '/v1/tokens', {}, body) as Promise<CreateTokenAnswer>,
    /** Takes a principal’s tokens back, and with them its grants. */
    revokeTokens: (name: string) =>
      send('POST', `/v1/principals/${encodeURIComponent(name)}/revoke`, {}) as Promise<RevokeTokensAnswer>,
    /** Records of every kind, with the checkpoints and the public key: all that it takes to verify them elsewhere. Page by page. */
    exportRecords: (query: { environment?: string | undefined; from?: number | undefined; sign?: 'each' | undefined } = {}) =>
      send('GET', '/v1/records', query) as Promise<ExportRecordsAnswer>,
    /** What happened, in one line of time: commits, runs, approvals, verdicts, findings, and what is around them. */
    timeline: (query: { environment?: string | undefined; module?: string | undefined; since?: string | undefined; until?: string | undefined } = {}) =>
      send('GET', '/v1/timeline', query) as Promise<TimelineAnswer>,
    /** Replaces the key that signs records, with a record in every chain that both keys sign. */
    rotateRecordKey: (body: RotateRecordKeyBody) =>
      send('POST', '/v1/records/rotate-key', {}, body) as Promise<RotateRecordKeyAnswer>,
    /** Drift: what was declared and somebody changed, the most serious first; and whether anybody would know of more. */
    findings: (query: { environment?: string | undefined; module?: string | undefined; resolved?: 'with' | 'without' | undefined; limit?: number | undefined } = {}) =>
      send('GET', '/v1/findings', query) as Promise<FindingsAnswer>,
    /** The fields of a module’s objects that are no drift: what others rightly move, and what was never declared, with its owner. */
    fields: (environment: string, query: { module?: string | undefined } = {}) =>
      send('GET', `/v1/environments/${encodeURIComponent(environment)}/fields`, query) as Promise<FieldsAnswer>,
    /** One finding, by its id or the end of its id, and what became of it. */
    finding: (finding: string) =>
      send('GET', `/v1/findings/${encodeURIComponent(finding)}`, {}) as Promise<FindingAnswer>,
    /** Starts a run that makes the fields of a finding as declared again, and no others. An adoption that is under way is withdrawn: its branch stays. */
    revert: (finding: string, body: RevertBody) =>
      send('POST', `/v1/findings/${encodeURIComponent(finding)}/revert`, {}, body) as Promise<RevertAnswer>,
    /** Lets a drift stay as it is now, for a reason and for a time. It comes back when that is over, or when something else changes. */
    accept: (finding: string, body: AcceptBody) =>
      send('POST', `/v1/findings/${encodeURIComponent(finding)}/accept`, {}, body) as Promise<AcceptAnswer>,
    /** Writes a drift back to Git: a proven edit, on a branch, with a pull request where the repository has a forge. Asked twice, it finds what is there. */
    adopt: (finding: string, body: AdoptBody) =>
      send('POST', `/v1/findings/${encodeURIComponent(finding)}/adopt`, {}, body) as Promise<AdoptAnswer>,
    /** How far the adoption of a finding is. */
    adoption: (finding: string) =>
      send('GET', `/v1/findings/${encodeURIComponent(finding)}/adoption`, {}) as Promise<AdoptionAnswer>,
    /** The same edit as a patch, and nothing is pushed. */
    adoptionPatch: (finding: string) =>
      send('GET', `/v1/findings/${encodeURIComponent(finding)}/adoption/patch`, {}) as Promise<AdoptionPatchAnswer>,
    /** Fields that Git declares and another controller rightly moves, such as the replicas below an autoscaler. */
    yielded: (environment: string, query: { module?: string | undefined } = {}) =>
      send('GET', `/v1/environments/${encodeURIComponent(environment)}/yielded`, query) as Promise<YieldedAnswer>,
    /** Commits, on a branch, that Git declares such fields of an object no more; refused while an apply without them would delete them. */
    yield: (environment: string, body: YieldBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/yield`, {}, body) as Promise<YieldAnswer>,
    /** Starts a run that goes back to what was delivered and verified last before what is there, with a module or with all that a run changed; and holds it there until Git says something else. */
    rollback: (environment: string, body: RollbackBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/rollback`, {}, body) as Promise<RollbackAnswer>,
    /** Holds a module at what was delivered there once, until a person lifts it. The run goes there, where it is elsewhere. */
    pin: (environment: string, body: PinBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/pin`, {}, body) as Promise<PinAnswer>,
    /** Holds a module no longer: Git decides again. Tells whether it was held. */
    unpin: (environment: string, body: UnpinBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/unpin`, {}, body) as Promise<UnpinAnswer>,
    /** The operations that there are, in the environments that the caller may look at. */
    operations: (query: { environment?: string | undefined } = {}) =>
      send('GET', '/v1/operations', query) as Promise<OperationsAnswer>,
    /** Starts an operation: a run of its own, gated by the review policy of the environment. */
    operate: (environment: string, operation: string, body: OperateBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/operations/${encodeURIComponent(operation)}`, {}, body) as Promise<OperateAnswer>,
    /** What is live in a namespace as the files of a module: defaults, status and what controllers write left out, Secrets never. */
    import: (environment: string, query: { namespace?: string | undefined; module?: string | undefined; target?: string | undefined } = {}) =>
      send('GET', `/v1/environments/${encodeURIComponent(environment)}/import`, query) as Promise<ImportAnswer>,
    /** The same as a commit on a branch of a repository, with a pull request where it has a forge. */
    proposeImport: (environment: string, body: ProposeImportBody) =>
      send('POST', `/v1/environments/${encodeURIComponent(environment)}/import`, {}, body) as Promise<ProposeImportAnswer>,
  }
}
