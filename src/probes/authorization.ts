import { z } from 'zod'
import { secretRef } from '#model/config/parts.ts'
import type { ProbeCapabilities } from './probe.ts'

/** How a probe signs in to what it asks by HTTP: never with a value, always with where one is. */
export const authorization = z.union([
  z.strictObject({ bearer: secretRef.describe('The token.') }),
  z.strictObject({
    basic: z
      .strictObject({
        user: z.string().min(1).max(255).regex(/^[^:]*$/, 'expected no colon').describe('The user.'),
        password: secretRef.describe('The password.'),
      })
      .describe('A user and a password.'),
  }),
])

/** The header, with the value in it: for this call alone. Failures: those of `secret`. */
export async function authorizationHeader(asked: z.output<typeof authorization> | undefined, secret: ProbeCapabilities['secret']): Promise<Readonly<Record<string, string>>> {
  if (asked === undefined) return {}
  if ('bearer' in asked) return { authorization: `Bearer ${await secret(asked.bearer.secretRef)}` }
  const { user, password } = asked.basic
  return { authorization: `Basic ${Buffer.from(`${user}:${await secret(password.secretRef)}`).toString('base64')}` }
}
