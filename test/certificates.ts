import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A certificate and its key, as PEM. */
export type Issued = { readonly key: string; readonly cert: string; readonly commonName: string }

type Wanted = {
  readonly commonName: string
  /** Names and IPv4 addresses that it is for. */
  readonly names?: readonly string[]
  /** Who signs it; it does so itself, if left out. */
  readonly issuer?: Issued
  readonly isAuthority?: true
  /** Milliseconds from now on; an hour before and an hour after, if left out. */
  readonly from?: number
  readonly to?: number
}

const hour = 3_600_000
let serial = 1

/** X.509 v3 in DER (RFC 5280), with ECDSA on P-256. */
export function issue({ commonName, names = [], issuer, isAuthority, from = -hour, to = hour }: Wanted): Issued {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])) // ecdsa-with-SHA256
  const extension = (id: number, value: Buffer): Buffer => sequence(oid([0x55, 0x1d, id]), der(0x04, value))
  const extensions = [
    ...(isAuthority === undefined ? [] : [extension(0x13, sequence(der(0x01, Buffer.from([0xff]))))]), // basicConstraints
    ...(names.length === 0 ? [] : [extension(0x11, sequence(...names.map((name) => (isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))))))]), // subjectAltName
  ]
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([serial++])),
    algorithm,
    distinguishedName(issuer?.commonName ?? commonName),
    sequence(time(Date.now() + from), time(Date.now() + to)),
    distinguishedName(commonName),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  )
  const signer = issuer === undefined ? keys.privateKey : createPrivateKey(issuer.key)
  const certificate = sequence(signed, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', signed, signer)])))
  return {
    commonName,
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`,
  }
}

/** A key and a certificate for 127.0.0.1 that signs itself, good for an hour. */
export function selfSigned(): Issued {
  return issue({ commonName: 'plumbline test', names: ['127.0.0.1'], isAuthority: true })
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid([0x55, 0x04, 0x03]), der(0x0c, Buffer.from(commonName)))))
}

function der(tag: number, content: Buffer): Buffer {
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function oid(bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes))
}

/** UTCTime, of this half of a century. */
function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
}
