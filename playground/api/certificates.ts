import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bits, boolean, der, integer, octets, oid, sequence, set, tagged, time, utf8 } from './der.ts'

/** PEM texts. `caKey` signs clients' certificates and leaves the folder never. */
export type Certificates = { readonly ca: string; readonly caKey: string; readonly certificate: string; readonly key: string }

const tenYears = 10 * 365 * 24 * 3600 * 1000
const aDay = 24 * 3600 * 1000
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

/** A certificate authority and a server certificate for loopback, made at the first start and kept in one file of the folder. */
export function certificates(dir: string, name: string): Certificates {
  const path = join(dir, 'certificates.json')
  if (existsSync(path)) {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<Certificates>
    // Folders of before clients had certificates kept no key of the authority: they get a new one.
    if (kept.caKey !== undefined) return kept as Certificates
  }
  const made = newCertificates(name)
  writeFileSync(`${path}.new`, JSON.stringify(made), { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return made
}

/** A new authority, and a certificate of it for a server on loopback with these names. */
export function newCertificates(name: string, names: readonly string[] = ['localhost', 'kubernetes.default.svc']): Certificates {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = distinguishedName(authorityName(name))
  const ca = certificate(issuer, issuer, authority.publicKey, authority.privateKey, [
    extension('2.5.29.19', true, sequence(boolean(true))), // basic constraints: an authority
    extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)), // key usage: signs certificates and revocation lists
  ])
  const leaf = certificate(distinguishedName('kube-apiserver'), issuer, server.publicKey, authority.privateKey, [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)), // key usage: digital signature
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))), // extended key usage: a server
    extension('2.5.29.17', false, sequence(...names.map(dns), der(0x87, Buffer.from([127, 0, 0, 1])))),
  ])
  return { ca: pem(ca), caKey: pemKey(authority.privateKey), certificate: pem(leaf), key: pemKey(server.privateKey) }
}

const authorityName = (name: string): string => `plumbline-playground-ca ${name}`

/**
 * A key and a certificate for a user (the common name) of groups (the organisations), signed by the cluster's authority; PEM texts, as a kubeconfig's
 * `client-certificate-data` and `client-key-data` hold them in base64. `name` is the cluster's, as `certificates` was given it.
 */
export function clientCertificate(from: Certificates, name: string, user: { readonly name: string; readonly groups: readonly string[] }, days = 365): { certificate: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)), // key usage: digital signature
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.2'))), // extended key usage: a client
  ]
  const signed = certificate(distinguishedName(user.name, user.groups), distinguishedName(authorityName(name)), publicKey, createPrivateKey(from.caKey), extensions, days * aDay)
  return { certificate: pem(signed), key: pemKey(privateKey) }
}

/** An X.509 version 3 certificate (RFC 5280), signed with the issuer's key. Its validity is judged by clients' clocks, which are real ones. */
function certificate(subject: Buffer, issuer: Buffer, key: KeyObject, signer: KeyObject, extensions: readonly Buffer[], lasts = tenYears): Buffer {
  const now = Date.now()
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    issuer,
    sequence(time(new Date(now - aDay)), time(new Date(now + lasts))),
    subject,
    key.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions)),
  )
  return sequence(content, ecdsaWithSha256, bits(sign('sha256', content, signer)))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))
}

function distinguishedName(commonName: string, organisations: readonly string[] = []): Buffer {
  return sequence(...organisations.map((text) => set(sequence(oid('2.5.4.10'), utf8(text)))), set(sequence(oid('2.5.4.3'), utf8(commonName))))
}

function pemKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function dns(name: string): Buffer {
  return der(0x82, Buffer.from(name))
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END CERTIFICATE-----\n`
}
