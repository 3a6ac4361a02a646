import { Failure } from '#lib/failure.ts'

/** An address is a URL, or `host:port`. */
export function withScheme(address: string): string {
  return address.includes('://') ? address : `http://${address}`
}

/** A URL to ask by HTTP. Failure `address-invalid`, by the name that stands for it. */
export function httpUrl(text: string, name: string): URL {
  const url = URL.parse(text)
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new Failure({ code: 'address-invalid', subject: name, message: `${name} is no http or https address`, hint: 'Addresses are written http://host:port, or host:port.' })
}
