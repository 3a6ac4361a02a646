import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import {
  accepted, approveBody, askBody, cancelBody, done, exportAnswer, pauseBody, planAnswer, planBody, principalView, resumeBody, runView, statusView, tokenAnswer, tokenBody,
} from '#model/api/views.ts'
import { approveRun, ask, cancelRun, pause, resume, runNamed } from '#run/commands.ts'
import { planNow } from '#run/plan-now.ts'
import { exportRecords } from '#run/records.ts'
import { viewRun, viewStatus } from '#run/views.ts'
import { listRuns } from '#store/runs.ts'
import { newestSnapshot } from '#store/snapshots.ts'
import { principals, revokeTokens, savePrincipal, saveToken } from '#store/principals.ts'
import { hashToken } from './authorise.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

const ofRun: Route['environment'] = async ({ parts, params }) => (await runNamed(parts, params['run'] ?? '')).environment
const ofPath: Route['environment'] = ({ params }) => params['environment'] ?? '*'

/** Every route, with the role that it asks for. What is not in this table does not exist; webhooks, which bear a signature in place of a token, are beside it. */
export const routes: readonly Route[] = [
  route({
    id: 'status',
    method: 'get',
    path: '/v1/status',
    about: 'Every module in every environment.',
    role: 'viewer',
    answer: statusView,
    handle: async ({ parts }) => {
      const snapshot = await newestSnapshot(parts.sql)
      const configuration = snapshot === undefined ? undefined : await parts.configurations.of(snapshot).catch(() => undefined)
      return viewStatus(parts.sql, configuration?.workspace.metadata.name ?? '', [...(configuration?.environments.values() ?? [])], parts.clock.now())
    },
  }),
  route({
    id: 'runs',
    method: 'get',
    path: '/v1/runs',
    about: 'Runs, the newest first.',
    role: 'viewer',
    query: ['environment', 'module', 'limit'],
    answer: z.object({ runs: z.array(runView) }),
    handle: async ({ parts, query }) => {
      const { environment, module } = query
      const limit = Math.min(200, Math.max(1, Number(query['limit'] ?? 20) || 20))
      const runs = await listRuns(parts.sql, { ...(environment === undefined ? {} : { environment }), ...(module === undefined ? {} : { module }), limit })
      return { runs: await Promise.all(runs.map((run) => viewRun(parts.sql, run))) }
    },
  }),
  route({
    id: 'show',
    method: 'get',
    path: '/v1/runs/{run}',
    about: 'One run: by its id, the end of its id, or `latest`.',
    role: 'viewer',
    environment: ofRun,
    answer: runView,
    handle: async ({ parts, params }) => viewRun(parts.sql, await runNamed(parts, params['run'] ?? '')),
  }),
  route({
    id: 'approve',
    method: 'post',
    path: '/v1/runs/{run}/approve',
    about: 'Approves the plan that a run waits with.',
    role: 'approver',
    environment: ofRun,
    body: approveBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body }) => {
      const run = await runNamed(parts, params['run'] ?? '')
      await approveRun(parts, run, principal, body.reason, body.objects)
      return { run: run.id }
    },
  }),
  route({
    id: 'cancel',
    method: 'post',
    path: '/v1/runs/{run}/cancel',
    about: 'Ends a run whose effects have not begun.',
    role: 'developer',
    environment: ofRun,
    body: cancelBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body }) => {
      const run = await runNamed(parts, params['run'] ?? '')
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
    environment: ofPath,
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
    environment: ofPath,
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
    environment: ofPath,
    body: askBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body, signal }) => ({
      run: (await ask(parts, params['environment'] ?? '', { kind: 'verify', by: principal.name, ...asked(body) }, signal)) ?? null,
    }),
  }),
  route({
    id: 'pause',
    method: 'post',
    path: '/v1/environments/{environment}/pause',
    about: 'Holds deliveries to an environment, or of one module in it, until a time.',
    role: 'operator',
    environment: ofPath,
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
    environment: ofPath,
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
    answer: z.object({ principals: z.array(principalView) }),
    handle: async ({ parts }) => ({ principals: (await principals(parts.sql)).map((one) => ({ ...one, emails: [...one.emails], grants: one.grants.map((grant) => ({ ...grant, environments: [...grant.environments] })) })) }),
  }),
  route({
    id: 'createToken',
    method: 'post',
    path: '/v1/tokens',
    about: 'Grants a role to a principal, new or known, and makes a token for it.',
    role: 'admin',
    body: tokenBody,
    answer: tokenAnswer,
    handle: async ({ parts, body }) => {
      const now = parts.clock.now()
      const token = randomBytes(32).toString('base64url')
      const known = (await principals(parts.sql)).find((one) => one.name === body.name)
      const grants = [...(known?.grants ?? []), { role: body.role, environments: body.environments }]
      await parts.sql.transaction(async (tx) => {
        await savePrincipal(tx, { name: body.name, emails: [...new Set([...(known?.emails ?? []), ...body.emails])], grants }, now)
        await saveToken(tx, { hash: hashToken(token), principal: body.name, createdAt: now, expiresAt: body.forMs === undefined ? null : now + body.forMs })
      })
      return { name: body.name, token }
    },
  }),
  route({
    id: 'revokeTokens',
    method: 'post',
    path: '/v1/principals/{name}/revoke',
    about: 'Takes a principal’s tokens back.',
    role: 'admin',
    answer: done,
    handle: async ({ parts, params }) => ({ done: (await revokeTokens(parts.sql, params['name'] ?? '')) > 0 }),
  }),
  route({
    id: 'exportRecords',
    method: 'get',
    path: '/v1/records',
    about: 'Every run record, with the checkpoints and the public key: all that it takes to verify them elsewhere.',
    role: 'viewer',
    query: ['environment'],
    answer: exportAnswer,
    handle: async ({ parts, query }) => exportRecords(parts, query['environment']),
  }),
]

function asked(body: z.output<typeof askBody>): { reason: string; ticket: string | null; modules?: readonly string[] } {
  return { reason: body.reason, ticket: body.ticket, ...(body.modules === undefined ? {} : { modules: body.modules }) }
}
