import { Failure, asFailure } from '#lib/failure.ts'
import { Frontier } from '#record/merkle.ts'
import { chainEnd, lockChain, saveCheckpoint, savePublished, saveUnpublished } from '#store/records.ts'
import { checkpointBytes } from './chain.ts'
import type { Head } from './chain.ts'
import type { Parts } from './parts.ts'

/** Heads of one chain are published no more often than this (ms): a thousand records a second are one push, not a thousand. */
const publishEvery = 1_000

/** Signs what is not signed yet, and publishes the head of a chain where nobody who can write the store can cut it. Tells when to come again, where it is too early. */
export async function publishChain(parts: Parts, environment: string): Promise<{ again: number } | undefined> {
  const chain = await chainEnd(parts.sql, environment)
  if (chain === undefined || chain.published >= chain.size) return undefined
  const now = parts.clock.now()
  if (now < chain.publishedAt + publishEvery && now >= chain.publishedAt) return { again: chain.publishedAt + publishEvery }
  try {
    const head = await sealChain(parts, environment)
    if (head === undefined) return undefined
    await parts.publish(environment, head)
    await savePublished(parts.sql, environment, head.size, now)
  } catch (error) {
    // The queue tries again; whoever looks at the status meanwhile is told.
    await saveUnpublished(parts.sql, environment, unpublishedHead(asFailure(error, 'records'), environment).toJSON()).catch(() => {})
    throw error
  }
  return undefined
}

function unpublishedHead({ code, message, hint }: Failure, environment: string): Failure {
  const meanwhile = 'Records are written, and verify. Until their head is published, a tail that is cut would not show.'
  return new Failure({ code, subject: `head of the records of ${environment}`, message, hint: hint === undefined ? meanwhile : `${hint} ${meanwhile}`, retry: 'later' })
}

/** A signed checkpoint over all of a chain, made now where there is none. Failures `record-signer-failed`. */
export async function sealChain({ sql, signer, clock }: Pick<Parts, 'sql' | 'signer' | 'clock'>, environment: string): Promise<Head | undefined> {
  const end = await chainEnd(sql, environment)
  if (end === undefined || end.head === null) return undefined
  const head = { size: end.size, root: new Frontier(end.frontier).root().toString('hex'), head: end.head }
  if (end.sealed >= end.size) return head
  const checkpoint = await signer.sign(checkpointBytes(environment, head, clock.now()))
  const saved = await sql.transaction(async (tx) => {
    // A checkpoint of the old key behind the record that replaces it would be a forgery.
    const { signer: signing } = await lockChain(tx, environment)
    if (signing !== null && signing !== signer.keyId) return false
    await saveCheckpoint(tx, environment, head.size, checkpoint, 'until the next')
    return true
  })
  return saved ? head : undefined
}
