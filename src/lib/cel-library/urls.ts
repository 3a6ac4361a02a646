import type { Environment } from '@marcbachmann/cel-js'
import { Address, canBeRead } from './addresses.ts'
import { wrong } from './wrong.ts'

/** An absolute URL, or an absolute path, read as Go's `net/url` does (`ParseRequestURI`, then `Parse`), which is not as browsers read them. */
class GoUrl {
  readonly scheme: string
  /** With its port; an IPv6 address in brackets. */
  readonly host: string
  readonly #path: string
  readonly query: string
  readonly #text: string

  constructor(text: string, parts: { readonly scheme: string; readonly host: string; readonly path: string; readonly query: string }) {
    this.#text = text
    this.scheme = parts.scheme
    this.host = parts.host
    this.#path = parts.path
    this.query = parts.query
  }

  /** Throws what is wrong with the text, in Go's words. */
  static read(text: string): GoUrl {
    try {
      partsOf(text, 'request')
      const [, whole = '', fragment = ''] = /^([^#]*)#?(.*)$/s.exec(text) ?? []
      unescaped(fragment)
      return new GoUrl(text, partsOf(whole, 'reference'))
    } catch (error) {
      return wrong(`parse ${JSON.stringify(text)}: ${(error as Error).message}`)
    }
  }

  get hostname(): string {
    return this.host.startsWith('[') ? this.host.slice(1, this.host.lastIndexOf(']')) : (/^[^:]*/.exec(this.host)?.[0] ?? '')
  }

  get port(): string {
    return /:(\d*)$/.exec(this.host.slice(this.host.lastIndexOf(']') + 1))?.[1] ?? ''
  }

  /** As it was written where that is a valid way to escape it, else escaped anew. */
  get escapedPath(): string {
    const plain = unescaped(this.#path)
    if (this.#path === '*' || this.#path === escaped(plain)) return this.#path
    return /^[\w.~/!$&'()*+,;=:@[\]%-]*$/.test(this.#path) ? this.#path : escaped(plain)
  }

  /** Each key with its values; a pair that cannot be read is left out. */
  get parameters(): Map<string, string[]> {
    const all = new Map<string, string[]>()
    for (const pair of this.query.split('&').filter((each) => each !== '' && !each.includes(';'))) {
      const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
      if (!canBeRead(() => unescaped(key) + unescaped(value))) continue
      const name = unescaped(key.replaceAll('+', ' '))
      all.set(name, [...(all.get(name) ?? []), unescaped(value.replaceAll('+', ' '))])
    }
    return all
  }

  equals(other: unknown): boolean {
    return other instanceof GoUrl && other.#text === this.#text
  }

  toString(): string {
    return this.#text
  }
}

/** A reference may begin with an authority; in a request that is a path. */
function partsOf(text: string, as: 'request' | 'reference'): { scheme: string; host: string; path: string; query: string } {
  if (/[\x00-\x1f\x7f]/.test(text)) return wrong('net/url: invalid control character in URL') // oxlint-disable-line no-control-regex -- that is what is looked for
  if (text === '') return wrong('empty url')
  if (text === '*') return { scheme: '', host: '', path: '*', query: '' }
  if (text.startsWith(':')) return wrong('missing protocol scheme')
  const [, named = '', after = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(text) ?? []
  const scheme = named.toLowerCase()
  const mark = after.indexOf('?')
  const [rest, query] = mark < 0 ? [after, ''] : [after.slice(0, mark), after.slice(mark + 1)]
  if (!rest.startsWith('/')) return scheme === '' ? wrong('invalid URI for request') : { scheme, host: '', path: '', query }
  if (!rest.startsWith('//') || (scheme === '' && (as === 'request' || rest.startsWith('///')))) return { scheme, host: '', path: readPath(rest), query }
  const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? []
  return { scheme, host: readAuthority(scheme, authority), path: readPath(path), query }
}

function readPath(path: string): string {
  unescaped(path)
  return path
}

function readAuthority(scheme: string, authority: string): string {
  const at = authority.lastIndexOf('@')
  const host = readHost(scheme, authority.slice(at + 1))
  const user = authority.slice(0, Math.max(at, 0))
  if (!/^[\w.~!$&'()*+,;=:%@-]*$/.test(user)) return wrong('net/url: invalid userinfo')
  unescaped(user)
  return host
}

function readHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[')
  if (open > 0) return wrong('invalid IP-literal')
  if (open === 0) {
    const close = host.lastIndexOf(']')
    if (close < 0) return wrong("missing ']' in host")
    checkPort(host.slice(close + 1))
    const name = host.slice(1, close)
    const [address = ''] = name.split('%25')
    if (!address.includes(':') || !canBeRead(() => Address.read(address))) return wrong(`invalid host: ParseAddr(${JSON.stringify(name)}): unable to parse IP`)
    return host.replaceAll('%25', '%')
  }
  const first = host.indexOf(':')
  if (first >= 0) checkPort(host.slice(scheme === 'http' || scheme === 'https' ? first : host.lastIndexOf(':')))
  for (const [escape = ''] of host.matchAll(/%.{0,2}/gs)) {
    if (escape !== '%25' && !/^%[89a-fA-F][0-9a-fA-F]$/.test(escape)) return wrong(`invalid URL escape ${JSON.stringify(escape)}`)
  }
  const bad = /[\s\\^`{|}#/?@]/.exec(host)?.[0]
  return bad === undefined ? unescaped(host) : wrong(`invalid character ${JSON.stringify(bad)} in host name`)
}

function checkPort(port: string): void {
  if (!/^(?::\d*)?$/.test(port)) wrong(`invalid port ${JSON.stringify(port)} after host`)
}

/** Throws on a `%` that two hexadecimal digits do not follow. */
function unescaped(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)?.[0]
  if (bad !== undefined) return wrong(`invalid URL escape ${JSON.stringify(bad)}`)
  return text.includes('%') ? Buffer.from(Buffer.from(text, 'utf8').toString('latin1').replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1').toString('utf8') : text
}

/** As Go escapes a path: `/` and what RFC 3986 allows there stay. */
function escaped(path: string): string {
  return encodeURI(path).replace(/[?#!'()*[\]]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Kubernetes' library `url`. Source: the documentation of apiserver's `pkg/cel/library/urls.go`. */
export function addUrls(environment: Environment): Environment {
  const url = 'kubernetes.URL'
  const read = (text: string): GoUrl => {
    try {
      return GoUrl.read(text)
    } catch (error) {
      return wrong(`URL parse error during conversion from string: ${(error as Error).message}`)
    }
  }
  return environment
    .registerType(url, GoUrl)
    .registerFunction(`url(string): ${url}`, read)
    .registerFunction('isURL(string): bool', isUrl)
    .registerFunction(`${url}.getScheme(): string`, (of: GoUrl) => of.scheme)
    .registerFunction(`${url}.getHost(): string`, (of: GoUrl) => of.host)
    .registerFunction(`${url}.getHostname(): string`, (of: GoUrl) => of.hostname)
    .registerFunction(`${url}.getPort(): string`, (of: GoUrl) => of.port)
    .registerFunction(`${url}.getEscapedPath(): string`, (of: GoUrl) => of.escapedPath)
    .registerFunction(`${url}.getQuery(): map<string, list<string>>`, (of: GoUrl) => of.parameters)
    .registerOperator(`${url} == ${url}`, (a: GoUrl, b: GoUrl) => a.equals(b))
}

/** A real server looks no further here than at the request: some such text is still no URL that `url` takes. */
const isUrl = (text: string): boolean => urlProblems(text).length === 0

/** What is wrong with a text as the URL of a request, in Go's words. */
export function urlProblems(text: string): string[] {
  try {
    partsOf(text, 'request')
    return []
  } catch (error) {
    return [`parse ${JSON.stringify(text)}: ${(error as Error).message}`]
  }
}
