import { accepted, done, pinBody, rollbackBody, unpinBody } from '#model/api/requests.ts'
import { runNamed } from '#run/commands.ts'
import { pinNow, rollbackNow, unpin } from '#run/pin-now.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** Going back, and holding a module where it is. */
export const pinRoutes: readonly Route[] = [
  route({
    id: 'rollback',
    method: 'post',
    path: '/v1/environments/{environment}/rollback',
    about: 'Starts a run that goes back to what was delivered and verified last before what is there, with a module or with all that a run changed; and holds it there until Git says something else.',
    role: 'operator',
    where: 'environment',
    body: rollbackBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body, signal }) => {
      const environment = params['environment'] ?? ''
      const what = body.run === undefined ? { module: body.module ?? '' } : { run: await runNamed(parts, body.run, (name) => name === environment, 'begun') }
      return { run: (await rollbackNow(parts, environment, what, { by: principal.name, reason: body.reason, ticket: body.ticket }, signal)) ?? null }
    },
  }),
  route({
    id: 'pin',
    method: 'post',
    path: '/v1/environments/{environment}/pin',
    about: 'Holds a module at what was delivered there once, until a person lifts it. The run goes there, where it is elsewhere.',
    role: 'operator',
    where: 'environment',
    body: pinBody,
    answer: accepted,
    handle: async ({ parts, params, principal, body, signal }) => ({
      run: (await pinNow(parts, params['environment'] ?? '', body.module, body.to, { by: principal.name, reason: body.reason, ticket: body.ticket }, signal)) ?? null,
    }),
  }),
  route({
    id: 'unpin',
    method: 'post',
    path: '/v1/environments/{environment}/unpin',
    about: 'Holds a module no longer: Git decides again. Tells whether it was held.',
    role: 'operator',
    where: 'environment',
    body: unpinBody,
    answer: done,
    handle: async ({ parts, params, principal, body }) => ({ done: await unpin(parts, params['environment'] ?? '', body.module, { by: principal.name, reason: body.reason, ticket: body.ticket }) }),
  }),
]
