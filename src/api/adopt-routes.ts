import { adoptBody, done, yieldBody, yieldedQuery } from '#model/api/requests.ts'
import { adoptionAnswer, adoptionPatchAnswer, yieldAnswer, yieldedAnswer } from '#model/api/drift-views.ts'
import { askAdoption } from '#run/adopt/ask.ts'
import { adoptionPatch } from '#run/adopt/patch.ts'
import { viewAdoption } from '#run/adopt/view.ts'
import { proposeYield, yieldedFields } from '#run/adopt/yielded.ts'
import { findAdoption } from '#store/adoptions.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** Reality back to Git. */
export const adoptRoutes: readonly Route[] = [
  route({
    id: 'adopt',
    method: 'post',
    path: '/v1/findings/{finding}/adopt',
    about: 'Writes a drift back to Git: a proven edit, on a branch, with a pull request where the repository has a forge. Asked twice, it finds what is there.',
    role: 'operator',
    where: 'finding',
    body: adoptBody,
    answer: done,
    handle: async ({ parts, finding, principal, body }) => {
      await askAdoption(parts, finding.id, principal, body.reason)
      return { done: true }
    },
  }),
  route({
    id: 'adoption',
    method: 'get',
    path: '/v1/findings/{finding}/adoption',
    about: 'How far the adoption of a finding is.',
    role: 'viewer',
    where: 'finding',
    answer: adoptionAnswer,
    handle: async ({ parts, finding }) => {
      const adoption = await findAdoption(parts.sql, finding.id)
      return { adoption: adoption === undefined ? null : viewAdoption(adoption) }
    },
  }),
  route({
    id: 'adoptionPatch',
    method: 'get',
    path: '/v1/findings/{finding}/adoption/patch',
    about: 'The same edit as a patch, and nothing is pushed.',
    role: 'developer',
    where: 'finding',
    answer: adoptionPatchAnswer,
    handle: async ({ parts, finding, signal }) => {
      const { edits, renamed, unproven, ...found } = await adoptionPatch(parts, finding, signal)
      return { ...found, edits: [...edits], renamed: [...renamed], unproven: [...unproven] }
    },
  }),
  route({
    id: 'yielded',
    method: 'get',
    path: '/v1/environments/{environment}/yielded',
    about: 'Fields that Git declares and another controller rightly moves, such as the replicas below an autoscaler.',
    role: 'viewer',
    where: 'environment',
    query: yieldedQuery,
    answer: yieldedAnswer,
    handle: async ({ parts, params, query, signal }) => ({ fields: await yieldedFields(parts, params['environment'] ?? '', query.module, signal) }),
  }),
  route({
    id: 'yield',
    method: 'post',
    path: '/v1/environments/{environment}/yield',
    about: 'Commits, on a branch, that Git declares such fields of an object no more; refused while an apply without them would delete them.',
    role: 'operator',
    where: 'environment',
    body: yieldBody,
    answer: yieldAnswer,
    handle: async ({ parts, params, principal, body, signal }) => {
      const { edits, ...proposed } = await proposeYield(parts, params['environment'] ?? '', body, principal, signal)
      return { ...proposed, edits: [...edits] }
    },
  }),
]
