import { serve } from './serve.ts'

/** Answers with what it was given: its name, version, address and environment. For experiments and tests. */
serve('echo', (request, url) => ({
  type: 'application/json',
  body: `${JSON.stringify({ pod: process.env['HOSTNAME'], version: process.env['APP_VERSION'], path: url.pathname, headers: request.headers, env: shown() })}\n`,
}))

function shown(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('SHOW_')))
}
