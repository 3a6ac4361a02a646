import { errors } from '../src/model/errors.ts'
import type { ErrorEntry } from '../src/model/errors.ts'

export const exits: Readonly<Record<0 | 1 | 2 | 3 | 4, string>> = { 0: 'as wished', 1: 'failed or refused', 2: 'wrong usage or bad configuration', 3: 'waiting for a person', 4: 'unknown' }

/** `docs/reference/errors.md`. */
export function errorsPage(): string {
  const entries = Object.entries(errors) as [string, ErrorEntry][]
  const rows = entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, { http, exit, about }]) => `| \`${code}\` | ${about.replaceAll('|', String.raw`\|`)} | ${http} | ${exit} (${exits[exit]}) |`)
  return `# Errors

Generated from \`src/model/errors.ts\` (\`npm run docs\`): do not edit.

Every error has a code, a subject (what it is about), a message (what happened) and mostly a hint (what to do next). Programs branch on the code.

| Code | What it means | HTTP status | Exit code of \`plumb\` |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
