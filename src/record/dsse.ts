import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Failure } from '#lib/failure.ts'

/** The DSSE payload type of an in-toto statement. */
export const payloadType = 'application/vnd.in-toto+json'

/** A DSSE envelope: `payload` is base64 of the exact bytes that were signed. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }

/** `key`: signs here and at once. `command`: asks a program, which takes its time and may fail. `publicKey` is PEM. */
export type Signer =
  | { readonly kind: 'key'; readonly keyId: string; readonly publicKey: string; sign(payload: Uint8Array): Envelope }
  | { readonly kind: 'command'; readonly keyId: string; readonly publicKey: string; sign(payload: Uint8Array): Promise<Envelope> }

/** DSSE's pre-authentication encoding: `DSSEv1 SP len(type) SP type SP len(payload) SP payload`. */
export function preAuthentication(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])
}

/** `sha256:` of the key's SubjectPublicKeyInfo, in DER. */
export function keyIdOf(key: KeyObject): string {
  return `sha256:${createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex')}`
}

/** A new Ed25519 key pair, as PEM. */
export function newKeyPair(): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** Signs with an Ed25519 private key in PEM. Failure `record-key-invalid`. */
export function signerOf(privatePem: string): Signer & { kind: 'key' } {
  const key = readKey(() => createPrivateKey(privatePem))
  const half = createPublicKey(key)
  const keyId = keyIdOf(half)
  return {
    kind: 'key',
    keyId,
    publicKey: half.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (payload) => envelopeOf(payload, [{ keyid: keyId, sig: sign(null, preAuthentication(payloadType, payload), key).toString('base64') }]),
  }
}

export function envelopeOf(payload: Uint8Array, signatures: Envelope['signatures']): Envelope {
  return { payloadType, payload: Buffer.from(payload).toString('base64'), signatures }
}

/** An Ed25519 public key from PEM. Failure `record-key-invalid`. */
export function publicKeyOf(publicPem: string): KeyObject {
  return readKey(() => createPublicKey(publicPem))
}

/** Public keys by their ids. */
export type Keyring = ReadonlyMap<string, KeyObject>

export function keyringOf(keys: readonly KeyObject[]): Keyring {
  return new Map(keys.map((key) => [keyIdOf(key), key]))
}

/** The payload of an envelope, whoever signed it; `undefined` when it is no such envelope. */
export function payloadOf(envelope: Envelope): Buffer | undefined {
  const isOne = envelope?.payloadType === payloadType && typeof envelope.payload === 'string' && Array.isArray(envelope.signatures)
  return isOne ? Buffer.from(envelope.payload, 'base64') : undefined
}

/** The ids of those keys that signed it; a signature of another key says nothing. */
export function signersOf(envelope: Envelope, keys: Keyring): Set<string> {
  const payload = payloadOf(envelope)
  if (payload === undefined) return new Set()
  const bytes = preAuthentication(payloadType, payload)
  const good = envelope.signatures.filter((one) => {
    const key = keys.get(one?.keyid)
    return key !== undefined && typeof one.sig === 'string' && verify(null, bytes, key, Buffer.from(one.sig, 'base64'))
  })
  return new Set(good.map((one) => one.keyid))
}

function readKey(read: () => KeyObject): KeyObject {
  try {
    const key = read()
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (error) {
    throw new Failure({ code: 'record-key-invalid', subject: 'record key', message: 'the key is not a PEM document', hint: 'It is `keys/record.pub.pem` in the control plane’s folder.', cause: error })
  }
  throw new Failure({ code: 'record-key-invalid', subject: 'record key', message: 'the key is not an Ed25519 key', hint: 'It is `keys/record.pub.pem` in the control plane’s folder.' })
}
