import type { Chain } from './chain.ts'
import type { Envelope, Signer } from './dsse.ts'
import { signerOf } from './dsse.ts'
import { Frontier } from './merkle.ts'
import type { ChainLink } from './predicates.ts'
import type { SignedChain } from './proven.ts'
import { aRun } from './records-fixture.ts'
import { checkpointStatement, keyRotationType, pruneType, sealRecord, statementOf } from './statement.ts'
import type { RecordStatement } from './statement.ts'

type Local = Extract<Signer, { kind: 'key' }>
export type TestChain = Chain & { records: string[]; checkpoints: Envelope[] }

/** A chain that is written as the control plane writes one, for tests. */
export class ChainWriter {
  readonly #environment: string
  readonly #tree = new Frontier()
  #signer: Local
  readonly records: string[] = []
  readonly checkpoints: Envelope[] = []
  #head: ChainLink['previous'] = null

  constructor(privatePem: string, environment = 'staging') {
    this.#environment = environment
    this.#signer = signerOf(privatePem)
  }

  append(build: (link: ChainLink) => RecordStatement = aRun): this {
    const { text, digest } = sealRecord(build({ environment: this.#environment, seq: this.#tree.size, previous: this.#head }))
    this.records.push(text)
    this.#tree.append(Buffer.from(digest))
    this.#head = digest
    return this
  }

  seal(...more: readonly Local[]): this {
    const statement = checkpointStatement({ environment: this.#environment, size: this.#tree.size, root: this.#tree.root().toString('hex'), head: this.#head ?? 'sha256:', at: 1 })
    const envelopes = [this.#signer, ...more].map((signer) => signer.sign(Buffer.from(JSON.stringify(statement))))
    const [first] = envelopes
    if (first !== undefined) this.checkpoints.push({ ...first, signatures: envelopes.flatMap((one) => one.signatures) })
    return this
  }

  rotate(privatePem: string, vouching: 'both sign' | 'the old one does not sign' = 'both sign'): this {
    const next = signerOf(privatePem)
    const named = ({ keyId, publicKey }: Local) => ({ keyId, publicKey })
    const from = named(this.#signer)
    this.append((chain) => statementOf(keyRotationType, { chain, from, to: named(next), actor: 'admin', reason: 'once a year', at: 1 }, { name: `key:${next.keyId}` }))
    if (vouching === 'both sign') this.seal(next)
    this.#signer = next
    return vouching === 'both sign' ? this : this.seal()
  }

  /** What is left when the first `size` records are pruned, with the record that says so. */
  prune(size: number): TestChain {
    const tree = new Frontier()
    for (const text of this.records.slice(0, size)) tree.append(Buffer.from(digestOf(text)))
    const start = { size, head: digestOf(this.records[size - 1] ?? ''), roots: tree.toJSON().roots }
    this.append((chain) => statementOf(pruneType, { chain, ...start, keepMs: 1, before: 1, at: 1 }, { name: 'prune' })).seal()
    const rotations = this.records.slice(0, size).flatMap((record, seq) => {
      const checkpoint = this.checkpoints.find((one) => one.signatures.length === 2 && sizeOf(one) === seq + 1)
      return checkpoint === undefined ? [] : [{ record, checkpoint }]
    })
    return { environment: this.#environment, start, rotations, records: this.records.slice(size), checkpoints: this.checkpoints.filter((one) => sizeOf(one) > size) }
  }

  chain(): TestChain {
    return { environment: this.#environment, start: null, rotations: [], records: [...this.records], checkpoints: structuredClone(this.checkpoints) }
  }
}

function digestOf(text: string): `sha256:${string}` {
  return sealRecord(JSON.parse(text) as RecordStatement).digest
}

function sizeOf(envelope: Envelope): number {
  return (JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as { predicate: { size: number } }).predicate.size
}

/** The chain as a control plane with that key hands it out, each record signed. */
export function signed(chain: TestChain, privatePem: string): SignedChain {
  const signer = signerOf(privatePem)
  return { ...chain, signatures: chain.records.flatMap((text) => signer.sign(Buffer.from(text)).signatures) }
}
