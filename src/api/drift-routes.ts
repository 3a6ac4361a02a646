import { acceptBody, accepted, done, fieldsQuery, findingsQuery, revertBody } from '#model/api/requests.ts'
import { fieldsAnswer, findingAnswer, findingsAnswer } from '#model/api/drift-views.ts'
import { acceptFinding } from '#run/drift/commands.ts'
import { fieldsOf } from '#run/drift/fields.ts'
import { revertFinding } from '#run/drift/revert.ts'
import { viewFindings, viewHistory, viewWatches } from '#run/drift/views.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** What was found to differ from what was declared, and what people decide on it. */
export const driftRoutes: readonly Route[] = [
  route({
    id: 'findings',
    method: 'get',
    path: '/v1/findings',
    about: 'Drift: what was declared and somebody changed, the most serious first; and whether anybody would know of more.',
    role: 'viewer',
    where: 'each',
    query: findingsQuery,
    answer: findingsAnswer,
    handle: async ({ parts, sees, query: { environment, module, resolved, limit } }) => {
      const all = await viewWatches(parts.sql, parts.clock.now())
      return {
        ...(await viewFindings(parts, { environment, module, resolved, limit }, sees)),
        watches: all.filter((one) => sees(one.environment) && (environment === undefined || one.environment === environment)),
      }
    },
  }),
  route({
    id: 'fields',
    method: 'get',
    path: '/v1/environments/{environment}/fields',
    about: 'The fields of a module’s objects that are no drift: what others rightly move, and what was never declared, with its owner.',
    role: 'viewer',
    where: 'environment',
    query: fieldsQuery,
    answer: fieldsAnswer,
    handle: async ({ parts, params, query, signal }) => ({
      objects: (await fieldsOf(parts, params['environment'] ?? '', query.module, signal)).map(({ delegated, emergent, ...rest }) => ({ ...rest, delegated: [...delegated], emergent: [...emergent] })),
    }),
  }),
  route({
    id: 'finding',
    method: 'get',
    path: '/v1/findings/{finding}',
    about: 'One finding, by its id or the end of its id, and what became of it.',
    role: 'viewer',
    where: 'finding',
    answer: findingAnswer,
    handle: async ({ parts, finding }) => viewHistory(parts.sql, finding),
  }),
  route({
    id: 'revert',
    method: 'post',
    path: '/v1/findings/{finding}/revert',
    about: 'Starts a run that makes the fields of a finding as declared again, and no others. An adoption that is under way is withdrawn: its branch stays.',
    role: 'developer',
    where: 'finding',
    body: revertBody,
    answer: accepted,
    handle: async ({ parts, finding, principal, body }) => ({ run: await revertFinding(parts, finding.id, { by: principal.name, ...body }) }),
  }),
  route({
    id: 'accept',
    method: 'post',
    path: '/v1/findings/{finding}/accept',
    about: 'Lets a drift stay as it is now, for a reason and for a time. It comes back when that is over, or when something else changes.',
    role: 'operator',
    where: 'finding',
    body: acceptBody,
    answer: done,
    handle: async ({ parts, finding, principal, body }) => {
      await acceptFinding(parts, finding.id, principal, body.reason, Date.parse(body.until))
      return { done: true }
    },
  }),
]
