import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '#lib/failure.ts'

/** Where a repository is: what git is called with, and by which transport. */
export type Remote = { readonly url: string; readonly transport: 'file' | 'http' | 'https' | 'ssh' }

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])
const scpLike = /^(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?![:-]|\/\/)\S+$/

/**
 * Reads the URL of a repository: `https://…`, `ssh://…`, `user@host:path`, `file:///…` or an absolute path; `http://` to this very machine only.
 * Failure `repository-url-refused` for everything else: other transports run commands, embedded credentials end up in logs.
 */
export function remoteOf(url: string, subject: string): Remote {
  const refuse = (why: string, hint: string): Failure =>
    new Failure({ code: 'repository-url-refused', subject, message: `the URL of repository ${subject} ${why}`, hint })
  const forms = 'Use https://host/path, ssh://user@host/path, user@host:path, file:///path or an absolute path.'
  // oxlint-disable-next-line no-control-regex
  if (url.length > 2048 || /[\u0000-\u001f\u007f]/.test(url) || url.startsWith('-')) throw refuse('is not a URL', forms)
  if (isAbsolute(url)) return { url, transport: 'file' }
  if (scpLike.test(url)) return { url, transport: 'ssh' }
  if (!/^[a-z]+:\/\//.test(url) || !URL.canParse(url)) throw refuse('is of a form that Plumbline does not fetch from', forms)
  const parsed = new URL(url)
  if (parsed.password !== '' || (parsed.username !== '' && parsed.protocol !== 'ssh:')) {
    throw refuse('holds credentials', 'Take them out, revoke them, and name them by secretRef under credentials.')
  }
  switch (parsed.protocol) {
    case 'file:':
      if (parsed.host !== '') throw refuse('names another host', forms)
      return { url: fileURLToPath(parsed), transport: 'file' }
    case 'ssh:':
      if (/^-|%/.test(parsed.hostname) || parsed.pathname.startsWith('/-') || parsed.username.startsWith('-')) throw refuse('looks like an option', forms)
      return { url, transport: 'ssh' }
    case 'https:':
      return { url, transport: 'https' }
    case 'http:':
      if (loopback.has(parsed.hostname)) return { url, transport: 'http' }
      throw refuse('is not encrypted', 'Use https://.')
    default:
      throw refuse('is of a form that Plumbline does not fetch from', forms)
  }
}

/** `host/path`, by which two URLs of one repository are the same whatever their transport, user, port and ending. */
export function repositoryKey(url: string): string {
  const scp = scpLike.test(url) ? /^(?:[^@]*@)?([^:]+):(.*)$/.exec(url) : null
  const [host, path] = scp !== null ? [scp[1] ?? '', scp[2] ?? ''] : URL.canParse(url) ? [new URL(url).hostname, new URL(url).pathname] : ['', url]
  return `${host}/${path.replaceAll(/^\/+|(\.git)?\/*$/g, '')}`.toLowerCase()
}
