import { verify } from 'node:crypto'
import { Failure, asFailure } from '#lib/failure.ts'
import { runProcess } from '#lib/process.ts'
import { envelopeOf, keyIdOf, payloadType, preAuthentication, publicKeyOf } from './dsse.ts'
import type { Signer } from './dsse.ts'

export type SignerCommand = {
  /** The program and its arguments; no shell. It reads the bytes to sign from its standard input and writes the Ed25519 signature, in base64. */
  readonly argv: readonly [string, ...string[]]
  /** PEM: what it signs is checked against this. */
  readonly publicKey: string
  readonly timeoutMs: number
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>
}

/** A signature is 88 characters; a program that says more is not what was asked for. */
const maxOutput = 4_096

/** A key that is somewhere else (a hardware module, a service), by a program of the operator's. Failure `record-signer-failed`. */
export function commandSigner({ argv: [command, ...args], publicKey, timeoutMs, env }: SignerCommand): Signer & { kind: 'command' } {
  const key = publicKeyOf(publicKey)
  const keyId = keyIdOf(key)
  const failed = (message: string, cause?: unknown): Failure =>
    new Failure({ code: 'record-signer-failed', subject: command, message, hint: 'Records are kept, and are signed when it works again. Try the command by hand; signer.json in the folder of keys names it.', retry: 'later', cause })
  const sign = async (payload: Uint8Array) => {
    const bytes = preAuthentication(payloadType, payload)
    const exit = await runProcess({ command, args, env, stdin: bytes, timeoutMs, maxOutputBytes: maxOutput }).catch((error: unknown) => {
      throw failed(`the command that signs records did not: ${asFailure(error, command).message}`, error)
    })
    if (exit.code !== 0) throw failed(`the command that signs records ended with ${exit.code}: ${exit.stderr.trim().slice(0, 200)}`)
    const sig = exit.stdout.toString('latin1').trim()
    if (!verify(null, bytes, key, Buffer.from(sig, 'base64'))) throw failed('what the command that signs records wrote is no signature by its key')
    return envelopeOf(payload, [{ keyid: keyId, sig }])
  }
  return { kind: 'command', keyId, publicKey: key.export({ type: 'spki', format: 'pem' }).toString(), sign }
}
