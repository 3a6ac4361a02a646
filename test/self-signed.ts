import { generateKeyPairSync, sign } from 'node:crypto'

/** A key and a certificate for 127.0.0.1 that signs itself, as PEM, good for an hour: X.509 v3 in DER (RFC 5280), with ECDSA on P-256. */
export function selfSigned(): { key: string; cert: string } {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])) // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(oid([0x55, 0x04, 0x03]), der(0x0c, Buffer.from('plumbline test')))))
  const extension = (id: number, value: Buffer) => sequence(oid([0x55, 0x1d, id]), der(0x04, value))
  const extensions = sequence(
    extension(0x13, sequence(der(0x01, Buffer.from([0xff])))), // basicConstraints: a certificate authority
    extension(0x11, sequence(der(0x87, Buffer.from([127, 0, 0, 1])))), // subjectAltName: an IP address
  )
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(time(Date.now() - 3_600_000), time(Date.now() + 3_600_000)),
    name,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const certificate = sequence(signed, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', signed, keys.privateKey)])))
  return {
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`,
  }
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

function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
}
