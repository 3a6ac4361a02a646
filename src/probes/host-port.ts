import { Failure } from '#lib/failure.ts'

const ports: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'postgres:': 5432, 'postgresql:': 5432, 'mysql:': 3306, 'redis:': 6379, 'amqp:': 5672, 'ldap:': 389, 'ldaps:': 636, 'ssh:': 22, 'dns:': 53 }

/** The host and port of an address, which is a URL, `host:port`, or, where a port is usual, `host`. Failure `address-invalid`. */
export function hostAndPort(address: string, name: string, usual?: number): { readonly host: string; readonly port: number } {
  const url = URL.parse(address.includes('://') ? address : `tcp://${address}`)
  const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
  const port = url === null ? 0 : url.port === '' ? (ports[url.protocol] ?? usual ?? 0) : Number(url.port)
  if (host !== '' && port > 0) return { host, port }
  throw new Failure({ code: 'address-invalid', subject: name, message: `address ${name} has no host and port`, hint: 'Addresses are written host:port, or as a URL.' })
}

/** `host:port`, IPv6 in brackets. */
export function showHostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
