import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Failure } from '#lib/failure.ts'

/** The DSSE payload type of an in-toto statement. */
export const payloadType = 'application/vnd.in-toto+json'

/** A DSSE envelope: `payload` is base64 of the exact bytes that were signed. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }

export type Signer = { readonly keyId: string; sign(payload: Uint8Array): Envelope }

/** DSSE's pre-authentication encoding: `DSSEv1 SP len(type) SP type SP len(payload) SP payload`. */
function preAuthentication(type: string, payload: Uint8Array): Buffer {
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

/** The public half of a private key, both PEM. Failure `record-key-invalid`. */
export function publicPemOf(privatePem: string): string {
  return createPublicKey(readKey(() => createPrivateKey(privatePem))).export({ type: 'spki', format: 'pem' }).toString()
}

/** Signs with an Ed25519 private key in PEM. Failure `record-key-invalid`. */
export function signerOf(privatePem: string): Signer {
  const key = readKey(() => createPrivateKey(privatePem))
  const keyId = keyIdOf(createPublicKey(key))
  return {
    keyId,
    sign: (payload) => ({
      payloadType,
      payload: Buffer.from(payload).toString('base64'),
      signatures: [{ keyid: keyId, sig: sign(null, preAuthentication(payloadType, payload), key).toString('base64') }],
    }),
  }
}

/** An Ed25519 public key from PEM. Failure `record-key-invalid`. */
export function publicKeyOf(publicPem: string): KeyObject {
  return readKey(() => createPublicKey(publicPem))
}

/** The payload of an envelope that one of the keys signed; `undefined` when none did, or when it is no such envelope. */
export function openEnvelope(envelope: Envelope, keys: readonly KeyObject[]): Buffer | undefined {
  if (envelope?.payloadType !== payloadType || typeof envelope.payload !== 'string' || !Array.isArray(envelope.signatures)) return undefined
  const payload = Buffer.from(envelope.payload, 'base64')
  const bytes = preAuthentication(envelope.payloadType, payload)
  const signed = envelope.signatures.some(
    (one) => typeof one?.sig === 'string' && keys.some((key) => keyIdOf(key) === one.keyid && verify(null, bytes, key, Buffer.from(one.sig, 'base64'))),
  )
  return signed ? payload : undefined
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
