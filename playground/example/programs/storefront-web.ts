import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve } from './serve.ts'

/** The shop's front page: its words come from the ConfigMap that is mounted at PAGE_DIR, read anew for each visitor. */
const { APP_VERSION: version = 'unknown', PAGE_DIR = '/etc/storefront', PLAYGROUND_ROOT = '', THEME = 'light' } = process.env
const read = (name: string): string => {
  try {
    return readFileSync(join(PLAYGROUND_ROOT, PAGE_DIR, name), 'utf8').trim()
  } catch {
    return ''
  }
}
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

serve('storefront-web', (_request, url) => {
  if (url.pathname === '/version') return { type: 'application/json', body: `${JSON.stringify({ version })}\n` }
  if (url.pathname !== '/') return undefined
  const title = read('title')
  if (title === '') return { status: 500, body: 'the page has no title\n' }
  const page = `<!doctype html><html lang="en"><title>${escape(title)}</title><body class="${escape(THEME)}"><h1>${escape(title)}</h1><p>${escape(read('message'))}</p></body></html>\n`
  return { type: 'text/html; charset=utf-8', body: page }
})
