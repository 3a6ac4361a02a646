import { errors } from '../src/model/errors.ts'
import { generateClient } from './generate-client.ts'

/** Every file that is made from the code, by its path. */
export function generated(): Record<string, string> {
  return {
    'src/api/client.ts': generateClient(),
    'docs/reference/errors.md': errorsPage(),
  }
}

function errorsPage(): string {
  const exits = { 1: 'failed or refused', 2: 'wrong usage or bad configuration', 3: 'waiting for a person', 4: 'unknown' }
  const rows = Object.entries(errors).map(([code, { http, exit, about }]) => `| \`${code}\` | ${about} | ${http} | ${exit} (${exits[exit]}) |`)
  return `# Errors

Every error has a code, a subject, a message and mostly a hint at what to do next. Programs branch on the code.

| code | what it means | HTTP status | exit code of \`plumb\` |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
