import { importBody, importQuery } from '#model/api/requests.ts'
import { importAnswer, importProposedAnswer } from '#model/api/drift-views.ts'
import { importNow, proposeImport } from '#run/import-now.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** From what was made by hand to a first module in Git. */
export const importRoutes: readonly Route[] = [
  route({
    id: 'import',
    method: 'get',
    path: '/v1/environments/{environment}/import',
    about: 'What is live in a namespace as the files of a module: defaults, status and what controllers write left out, Secrets never.',
    role: 'operator',
    where: 'environment',
    query: importQuery,
    answer: importAnswer,
    handle: async ({ parts, params, query, signal }) => {
      const { files, left } = await importNow(parts, params['environment'] ?? '', { namespace: query.namespace, module: query.module ?? query.namespace, target: query.target }, signal)
      return { module: query.module ?? query.namespace, files: [...files], left: left.map((one) => ({ hint: null, ...one })) }
    },
  }),
  route({
    id: 'proposeImport',
    method: 'post',
    path: '/v1/environments/{environment}/import',
    about: 'The same as a commit on a branch of a repository, with a pull request where it has a forge.',
    role: 'operator',
    where: 'environment',
    body: importBody,
    answer: importProposedAnswer,
    handle: async ({ parts, params, principal, body, signal }) => {
      const asked = { namespace: body.namespace, module: body.module ?? body.namespace, target: body.target, repository: body.repository, reason: body.reason }
      const proposed = await proposeImport(parts, params['environment'] ?? '', asked, principal, signal)
      return { ...proposed, left: proposed.left.map((one) => ({ hint: null, ...one })) }
    },
  }),
]
