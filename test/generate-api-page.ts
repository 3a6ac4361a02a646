import { demandOf } from '../src/api/openapi.ts'
import { routes } from '../src/api/routes.ts'
import { roles } from '../src/model/principal.ts'

/** `docs/reference/api.md`. */
export function apiPage(): string {
  const rows = routes.map((route) => `| \`${route.id}\` | \`${route.method.toUpperCase()} ${route.path}\` | ${route.about} | ${demandOf(route)} |`)
  return `# HTTP API

Generated from \`src/api/routes.ts\` (\`npm run docs\`): do not edit. [openapi.json](openapi.json) has every shape; a running control plane answers it at \`/openapi.json\`.

Requests bear \`Authorization: Bearer <token>\` (\`plumb token create\`). Roles, from least to most: ${roles.map((role) => `\`${role}\``).join(', ')}; each may do what
the one before it may. A role is granted for environments, by name or glob; \`*\` is all of them, and the workspace itself. What a principal may not look
at is not there for it: not in a list, and not by its id.

| Operation | Route | What it does | Asks for |
| --- | --- | --- | --- |
${rows.join('\n')}

Beside the table, and without a token: \`GET /healthz\`, \`GET /openapi.json\`, and the webhooks \`POST /v1/webhooks\` (signed with the installation's secret) and
\`POST /v1/webhooks/{repository}\` (signed with the repository's own), which take the signatures of GitHub, GitLab, Gitea and Forgejo.

\`GET /v1/events\` tells what changes, as server-sent events, as far as the caller may look at it. A client that comes back with \`Last-Event-ID\` misses nothing.
The stream ends with its token, also when that is revoked.

Failures are \`{ "error": { code, subject, message, hint, retry, fields } }\` with the status of [the catalogue](errors.md). A body is at most 1 MiB. Failed sign-ins
(20 at once, then one every 2 s) and webhooks (300 at once, then 20 a second) are limited by address, in each process on its own; the answer is 429 with \`Retry-After\`.
`
}
