import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bits, boolean, der, integer, octets, oid, sequence, set, tagged, time, utf8 } from './der.ts'

/** PEM texts. */
export type Certificates = { readonly ca: string; readonly certificate: string; readonly key: string }

const tenYears = 10 * 365 * 24 * 3600 * 1000
const aDay = 24 * 3600 * 1000
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

/** A certificate authority and a server certificate for loopback, made at the first start and kept in one file of the folder. */
export function certificates(dir: string, name: string): Certificates {
  const path = join(dir, 'certificates.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Certificates
  const made = make(name)
  writeFileSync(`${path}.new`, JSON.stringify(made), { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return made
}

function make(name: string): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = commonName(`plumbline-playground-ca ${name}`)
  const ca = certificate(issuer, issuer, authority.publicKey, authority.privateKey, [
    extension('2.5.29.19', true, sequence(boolean(true))), // basic constraints: an authority
    extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)), // key usage: signs certificates and revocation lists
  ])
  const leaf = certificate(commonName('kube-apiserver'), issuer, server.publicKey, authority.privateKey, [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)), // key usage: digital signature
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))), // extended key usage: a server
    extension('2.5.29.17', false, sequence(dns('localhost'), dns('kubernetes.default.svc'), der(0x87, Buffer.from([127, 0, 0, 1])))),
  ])
  return { ca: pem(ca), certificate: pem(leaf), key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** An X.509 version 3 certificate (RFC 5280), signed with the issuer's key. Its validity is judged by clients' clocks, which are real ones. */
function certificate(subject: Buffer, issuer: Buffer, key: KeyObject, signer: KeyObject, extensions: readonly Buffer[]): Buffer {
  const now = Date.now()
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    issuer,
    sequence(time(new Date(now - aDay)), time(new Date(now + tenYears))),
    subject,
    key.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions)),
  )
  return sequence(content, ecdsaWithSha256, bits(sign('sha256', content, signer)))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))
}

function commonName(text: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(text))))
}

function dns(name: string): Buffer {
  return der(0x82, Buffer.from(name))
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END CERTIFICATE-----\n`
}
