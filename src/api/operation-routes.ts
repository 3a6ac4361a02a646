import { accepted, operateBody, operationsQuery } from '#model/api/requests.ts'
import { operationsAnswer } from '#model/api/views.ts'
import { listOperations } from '#run/operation/list.ts'
import { operateNow } from '#run/operation/operate-now.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** Named runs without a new snapshot. */
export const operationRoutes: readonly Route[] = [
  route({
    id: 'operations',
    method: 'get',
    path: '/v1/operations',
    about: 'The operations that there are, in the environments that the caller may look at.',
    role: 'viewer',
    where: 'each',
    query: operationsQuery,
    answer: operationsAnswer,
    handle: async ({ parts, query, sees }) => ({ operations: await listOperations(parts, query.environment, sees) }),
  }),
  route({
    id: 'operate',
    method: 'post',
    path: '/v1/environments/{environment}/operations/{operation}',
    about: 'Starts an operation: a run of its own, gated by the review policy of the environment.',
    role: 'operator',
    where: 'environment',
    body: operateBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body }) => ({ run: await operateNow(parts, params['environment'] ?? '', { name: params['operation'] ?? '', by: principal.name, ...body }) }),
  }),
]
