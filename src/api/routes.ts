import type { z } from 'zod'
import { accepted, approveBody, askBody, cancelBody, done, pauseBody, planBody, pruneBody, recordsQuery, resumeBody, rotateBody, runsQuery, timelineQuery, tokenBody } from '#model/api/requests.ts'
import { exportAnswer, planAnswer, principalsAnswer, rotatedAnswer, runView, runsAnswer, statusView, timelineAnswer, tokenAnswer } from '#model/api/views.ts'
import { catchUp } from '#run/catch-up.ts'
import { approveRun, ask, cancelRun, pause, resume } from '#run/commands.ts'
import { forget, pruneEnvironment } from '#run/let-go.ts'
import { planNow } from '#run/plan-now.ts'
import { exportRecords } from '#run/records.ts'
import { rotateKey } from '#run/rotate-key.ts'
import { timeline, viewTimeline } from '#run/timeline.ts'
import { statusNow } from '#run/status-now.ts'
import { viewRun, viewRuns } from '#run/views.ts'
import { principals } from '#store/principals.ts'
import { listRuns, runEnvironments } from '#store/runs.ts'
import { seesAll } from './authorise.ts'
import { driftRoutes } from './drift-routes.ts'
import { adoptRoutes } from './adopt-routes.ts'
import { importRoutes } from './import-routes.ts'
import { operationRoutes } from './operation-routes.ts'
import { pinRoutes } from './pin-routes.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'
import { createToken, revoke } from './tokens.ts'

/** Every route, with the role that it asks for. What is not in this table does not exist; webhooks, which bear a signature in place of a token, are beside it. */
export const routes: readonly Route[] = [
  route({
    id: 'status',
    method: 'get',
    path: '/v1/status',
    about: 'Every module in every environment that the caller may look at.',
    role: 'viewer',
    where: 'each',
    answer: statusView,
    handle: async ({ parts, principal, sees, signal }) => {
      // What this process has not seen yet it says nothing of; and nobody waits long for a repository that does not answer.
      await catchUp(parts, AbortSignal.any([signal, AbortSignal.timeout(2_000)])).catch(() => undefined)
      const status = await statusNow(parts, sees)
      // They are of the whole workspace, and name what others have; but that what there is cannot be read concerns everybody.
      return seesAll(principal) ? status : { ...status, repositories: [], problems: status.problems.filter(({ code }) => code === 'snapshot-unread') }
    },
  }),
  route({
    id: 'runs',
    method: 'get',
    path: '/v1/runs',
    about: 'Runs, the newest first: those of environments that the caller may look at.',
    role: 'viewer',
    where: 'each',
    query: runsQuery,
    answer: runsAnswer,
    handle: async ({ parts, principal, sees, query }) => {
      const { environment, module, only, limit } = query
      const mine = environment === undefined && !seesAll(principal) ? (await runEnvironments(parts.sql)).filter(sees) : undefined
      const runs = await listRuns(parts.sql, {
        ...(environment === undefined ? {} : { environment }),
        ...(mine === undefined ? {} : { environments: mine }),
        ...(module === undefined ? {} : { module }),
        ...(only === undefined ? {} : { only }),
        limit,
      })
      return { runs: await viewRuns(parts.sql, runs, parts.clock.now()) }
    },
  }),
  route({
    id: 'show',
    method: 'get',
    path: '/v1/runs/{run}',
    about: 'One run: by its id, the end of its id, or `latest`.',
    role: 'viewer',
    where: 'run',
    answer: runView,
    handle: async ({ parts, run }) => viewRun(parts.sql, run, parts.clock.now()),
  }),
  route({
    id: 'approve',
    method: 'post',
    path: '/v1/runs/{run}/approve',
    about: 'Approves the plan that a run waits with: the one whose digest the request bears, and no other.',
    role: 'approver',
    where: 'run',
    body: approveBody,
    answer: accepted,
    handle: async ({ parts, run, principal, body }) => {
      await approveRun(parts, run, principal, body)
      return { run: run.id }
    },
  }),
  route({
    id: 'cancel',
    method: 'post',
    path: '/v1/runs/{run}/cancel',
    about: 'Ends a run whose effects have not begun.',
    role: 'developer',
    where: 'run',
    body: cancelBody,
    answer: accepted,
    handle: async ({ parts, run, principal, body }) => {
      await cancelRun(parts, run, principal, body.reason)
      return { run: run.id }
    },
  }),
  route({
    id: 'plan',
    method: 'post',
    path: '/v1/environments/{environment}/plan',
    about: 'What a delivery of the newest snapshot would do now: the path with apply left out.',
    role: 'viewer',
    where: 'environment',
    body: planBody,
    answer: planAnswer,
    handle: async ({ parts, params, body, signal }) => planNow(parts, params['environment'] ?? '', body.modules, signal),
  }),
  route({
    id: 'deploy',
    method: 'post',
    path: '/v1/environments/{environment}/deploy',
    about: 'Starts a run for the newest snapshot.',
    role: 'developer',
    where: 'environment',
    body: askBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body, signal }) => ({
      run: (await ask(parts, params['environment'] ?? '', { kind: 'deploy', by: principal.name, ...asked(body) }, signal)) ?? null,
    }),
  }),
  route({
    id: 'verify',
    method: 'post',
    path: '/v1/environments/{environment}/verify',
    about: 'Starts a run that changes nothing and asks every probe.',
    role: 'developer',
    where: 'environment',
    body: askBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body, signal }) => ({
      run: (await ask(parts, params['environment'] ?? '', { kind: 'verify', by: principal.name, ...asked(body) }, signal)) ?? null,
    }),
  }),
  route({
    id: 'prune',
    method: 'post',
    path: '/v1/environments/{environment}/prune',
    about: 'Deletes what an environment holds that is gone from Git, by a run that the environment’s last policy gates.',
    role: 'operator',
    where: 'environment',
    body: pruneBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body }) => ({ run: (await pruneEnvironment(parts, params['environment'] ?? '', { by: principal.name, ...asked(body) })) ?? null }),
  }),
  route({
    id: 'forget',
    method: 'post',
    path: '/v1/environments/{environment}/forget',
    about: 'Holds no more what Git no longer has there, and leaves it where it is: of an environment that is gone, or of modules that are.',
    role: 'operator',
    where: 'environment',
    body: askBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body }) => ({ run: (await forget(parts, params['environment'] ?? '', { by: principal.name, ...asked(body) })) ?? null }),
  }),
  route({
    id: 'pause',
    method: 'post',
    path: '/v1/environments/{environment}/pause',
    about: 'Holds deliveries to an environment, or of one module in it, until a time.',
    role: 'operator',
    where: 'environment',
    body: pauseBody,
    answer: done,
    handle: async ({ parts, params, principal, body }) => {
      await pause(parts, params['environment'] ?? '', body.module, principal, body.reason, body.forMs)
      return { done: true }
    },
  }),
  route({
    id: 'resume',
    method: 'post',
    path: '/v1/environments/{environment}/resume',
    about: 'Ends a pause before its time.',
    role: 'operator',
    where: 'environment',
    body: resumeBody,
    answer: done,
    handle: async ({ parts, params, body }) => ({ done: await resume(parts, params['environment'] ?? '', body.module) }),
  }),
  route({
    id: 'principals',
    method: 'get',
    path: '/v1/principals',
    about: 'Who may do what.',
    role: 'admin',
    where: 'workspace',
    answer: principalsAnswer,
    handle: async ({ parts }) => ({
      principals: (await principals(parts.sql)).map(({ name, emails, grants }) => ({
        name,
        emails: [...emails],
        grants: grants.map((grant) => ({ role: grant.role, environments: [...grant.environments] })),
      })),
    }),
  }),
  route({
    id: 'createToken',
    method: 'post',
    path: '/v1/tokens',
    about: 'Grants a role to a principal, new or known, and makes a token for it. A token may do all that its principal may: the answer tells what that is.',
    role: 'admin',
    where: 'workspace',
    body: tokenBody,
    answer: tokenAnswer,
    handle: async ({ parts, body }) => createToken(parts, body),
  }),
  route({
    id: 'revokeTokens',
    method: 'post',
    path: '/v1/principals/{name}/revoke',
    about: 'Takes a principal’s tokens back, and with them its grants.',
    role: 'admin',
    where: 'workspace',
    answer: done,
    handle: async ({ parts, params }) => ({ done: await revoke(parts, params['name'] ?? '') }),
  }),
  route({
    id: 'exportRecords',
    method: 'get',
    path: '/v1/records',
    about: 'Records of every kind, with the checkpoints and the public key: all that it takes to verify them elsewhere. Page by page.',
    role: 'viewer',
    where: 'each',
    query: recordsQuery,
    answer: exportAnswer,
    handle: async ({ parts, query, sees }) => exportRecords(parts, query, sees),
  }),
  route({
    id: 'timeline',
    method: 'get',
    path: '/v1/timeline',
    about: 'What happened, in one line of time: commits, runs, approvals, verdicts, findings, and what is around them.',
    role: 'viewer',
    where: 'each',
    query: timelineQuery,
    answer: timelineAnswer,
    handle: async ({ parts, query: { since, until, ...rest }, sees }) =>
      viewTimeline(await timeline(parts, { ...rest, since: Date.parse(since), until: until === undefined ? parts.clock.now() : Date.parse(until) }, sees)),
  }),
  route({
    id: 'rotateRecordKey',
    method: 'post',
    path: '/v1/records/rotate-key',
    about: 'Replaces the key that signs records, with a record in every chain that both keys sign.',
    role: 'admin',
    where: 'workspace',
    body: rotateBody,
    answer: rotatedAnswer,
    handle: async ({ parts, principal, body }) => {
      const { environments, ...rotated } = await rotateKey(parts, principal.name, body.reason)
      return { ...rotated, environments: [...environments] }
    },
  }),
  ...driftRoutes,
  ...adoptRoutes,
  ...pinRoutes,
  ...operationRoutes,
  ...importRoutes,
]

function asked(body: Pick<z.output<typeof askBody>, 'reason' | 'ticket'> & { modules?: z.output<typeof askBody>['modules'] }): { reason: string; ticket: string | null; modules?: readonly string[] } {
  return { reason: body.reason, ticket: body.ticket, ...(body.modules === undefined ? {} : { modules: body.modules }) }
}
