import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Failure } from '#lib/failure.ts'
import type { SecretProvider } from './provider.ts'

type Reference = readonly [path: string, key: string | undefined]

/** What every provider keeps to. `store` sets the value that `found` names; the suite gives it canaries and looks for them where they must not be. */
export type SecretSubject = {
  readonly provider: SecretProvider
  readonly found: Reference
  readonly store: (value: string) => Promise<void>
  /** References whose read must fail, with the code that it fails with, while the canary is stored. */
  readonly failing: readonly (readonly [Reference, 'secret-not-found' | 'secret-refused' | 'secret-unavailable'])[]
}

export function secretConformance(name: string, make: () => Promise<SecretSubject>): void {
  describe(`the secret provider ${name}`, () => {
    const canary = 'canary-5b1c9d "quoted" = {x}'
    const never = new AbortController().signal

    test('gives the value that is stored, whatever is in it', async () => {
      const { provider, found, store } = await make()
      await store(canary)
      expect((await provider.read(...found, never)).value).toBe(canary)
    })

    test('gives a version that stays with the value, changes with it, and does not tell it', async () => {
      const { provider, found, store } = await make()
      await store(canary)
      const first = await provider.read(...found, never)
      expect((await provider.read(...found, never)).version).toBe(first.version)
      expect(first.version).not.toContain('canary')
      await store(`${canary}2`)
      expect((await provider.read(...found, never)).version).not.toBe(first.version)
    })

    test('fails with its code, and with no value in any part of the failure', async () => {
      const { provider, store, failing } = await make()
      await store(canary)
      expect(failing.map(([, code]) => code)).toEqual(expect.arrayContaining(['secret-not-found', 'secret-refused']))
      for (const [reference, code] of failing) {
        const error: unknown = await provider.read(...reference, never).then(() => undefined, (thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Failure)
        expect(error).toMatchObject({ code, subject: expect.stringContaining(`${provider.id}:`) })
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary-5b1c9d')
      }
    })

    test('does not read for a caller who has gone', async () => {
      const { provider, found, store } = await make()
      await store(canary)
      await expect(provider.read(...found, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    })
  })
}
