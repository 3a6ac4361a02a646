import { adoptBody, done } from '#model/api/requests.ts'
import { adoptionAnswer, adoptionPatchAnswer } from '#model/api/views.ts'
import { askAdoption } from '#run/adopt/ask.ts'
import { adoptionPatch } from '#run/adopt/patch.ts'
import { viewAdoption } from '#run/adopt/view.ts'
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
]
