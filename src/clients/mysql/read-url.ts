import { readFileSync } from 'node:fs'
import { Failure } from '#lib/failure.ts'

export type MysqlLogin = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database?: string
  /** What TLS is told; without it there is none. */
  readonly ssl?: { readonly ca?: string; readonly rejectUnauthorized: boolean; readonly verifyIdentity: boolean }
}

/**
 * `mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path`, with the names and the meanings of MySQL's own options
 * (https://dev.mysql.com/doc/refman/8.4/en/connection-options.html); `mariadb://` is the same. Without `ssl-mode`, or with
 * one that would do without TLS where there is none, there is no TLS. Failure `address-invalid`.
 */
export function readMysqlUrl(text: string, name: string): MysqlLogin {
  const url = URL.parse(text)
  if (url === null || !/^(mysql|mariadb):$/.test(url.protocol) || url.hostname === '') throw invalid(name, 'is no connection URL of MySQL')
  const options = new Map([...url.searchParams].map(([key, value]) => [key.toLowerCase(), value]))
  try {
    const database = decodeURIComponent(url.pathname.slice(1))
    const ssl = sslOf((options.get('ssl-mode') ?? 'DISABLED').toUpperCase(), options.get('ssl-ca'), name)
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(url.port || 3306),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      ...(database === '' ? {} : { database }),
      ...(ssl === undefined ? {} : { ssl }),
    }
  } catch (error) {
    // What the decoder says quotes the URL, and with it the password.
    throw error instanceof Failure ? error : invalid(name, 'is no connection URL of MySQL')
  }
}

function sslOf(mode: string, caFile: string | undefined, name: string): MysqlLogin['ssl'] {
  if (mode === 'DISABLED' || mode === 'PREFERRED') return undefined
  if (!['REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'].includes(mode)) throw invalid(name, `has the ssl-mode ${mode.slice(0, 20)}, which there is none of`)
  const ca = caFile === undefined ? {} : { ca: read(caFile, name) }
  return { ...ca, rejectUnauthorized: mode !== 'REQUIRED', verifyIdentity: mode === 'VERIFY_IDENTITY' }
}

function read(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw invalid(name, 'names a file with ssl-ca that cannot be read')
  }
}

function invalid(name: string, why: string): Failure {
  return new Failure({ code: 'address-invalid', subject: name, message: `the URL of ${name} ${why}`, hint: 'It is written mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY.' })
}
