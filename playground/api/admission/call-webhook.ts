import { request as ask } from 'node:https'
import { isIP } from 'node:net'
import { isObject, type JsonObject } from '#lib/json.ts'
import { parseJson } from '../body.ts'
import type { Address } from './webhook-address.ts'

const largest = 3 * 1024 * 1024

/** Posts one AdmissionReview and gives the answer's body. Throws an `Error` in the words of a real server's client. No redirect is followed. */
export function callWebhook(address: Address, ca: string | undefined, review: JsonObject, seconds: number): Promise<JsonObject> {
  const body = Buffer.from(JSON.stringify(review))
  const shown = `${address.url}${address.url.includes('?') ? '&' : '?'}timeout=${seconds}s`
  const path = `${address.path}${address.path.includes('?') ? '&' : '?'}timeout=${seconds}s`
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(why))
    const sent = ask({
      host: address.host,
      port: address.port,
      path,
      method: 'POST',
      agent: false,
      // An address is no name that a TLS client may send; whether the certificate is for it is checked all the same.
      ...(isIP(address.name) === 0 ? { servername: address.name } : {}),
      ...(ca === undefined ? {} : { ca }),
      headers: { 'content-type': 'application/json', accept: 'application/json, */*', 'content-length': body.length, 'user-agent': 'kube-apiserver-admission' },
    })
    const timer = setTimeout(() => {
      sent.destroy()
      fail(`Post "${shown}": context deadline exceeded`)
    }, seconds * 1000)
    sent.on('error', (error) => {
      clearTimeout(timer)
      fail(`Post "${shown}": ${inGosWords(error, address)}`)
    })
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > largest) sent.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      response.on('error', (error) => {
        clearTimeout(timer)
        fail(`Post "${shown}": ${inGosWords(error, address)}`)
      })
      response.on('end', () => {
        clearTimeout(timer)
        const text = Buffer.concat(chunks).toString('utf8')
        const status = response.statusCode ?? 0
        if (status < 200 || status > 299) return fail(refusal(status, text))
        try {
          const value = parseJson(text)
          if (isObject(value)) resolve(value)
          else fail("couldn't get version/kind; json parse error: json: cannot unmarshal into Go value")
        } catch {
          fail(`couldn't get version/kind; json parse error: ${text.trim() === '' ? 'unexpected end of JSON input' : 'invalid character'}`)
        }
      })
    })
    sent.end(body)
  })
}

function refusal(status: number, text: string): string {
  if (status === 404) return 'the server could not find the requested resource'
  if (status >= 500) return `an error on the server (${JSON.stringify(text.trim().slice(0, 200) || 'unknown')}) has prevented the request from succeeding`
  return 'the server rejected our request for an unknown reason'
}

function inGosWords(error: NodeJS.ErrnoException, { host, port, name }: Address): string {
  const code = error.code ?? ''
  if (code === 'ECONNREFUSED') return `dial tcp ${host}:${port}: connect: connection refused`
  if (code === 'ECONNRESET') return 'EOF'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `tls: failed to verify certificate: x509: certificate is not valid for ${name}`
  if (code === 'CERT_HAS_EXPIRED') return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
  if (/SELF_SIGNED|UNABLE_TO/.test(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  return error.message
}
