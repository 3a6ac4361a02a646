import { digestOfBytes } from '#lib/digest.ts'
import { publishedHeadOf, rotationOf } from './chain.ts'
import type { ChainStart, Defect, Point, PublishedHead, Rotation } from './chain.ts'
import { Frontier } from './merkle.ts'
import type { FrontierJson } from './merkle.ts'
import type { PrunePredicate } from './predicates.ts'
import { linkOf, pruneType, recordKinds } from './statement.ts'
import type { RecordStatement } from './statement.ts'

/** What a walk over a chain's records found, whoever signed what. */
export type Walked = {
  readonly environment: string
  /** How many records the chain has, the pruned ones among them. */
  readonly size: number
  readonly pruned: number
  readonly head: string | null
  readonly defects: readonly Defect[]
  /** The checkpoints that have the root of what they cover; those that do not; and those of more records than there are. Who signed them is not asked here. */
  readonly good: readonly Point[]
  readonly mismatched: readonly Mismatch[]
  readonly beyond: readonly Point[]
  readonly rotations: readonly Rotation[]
}

/** `last`: it would match if its last record had the digest that it says. */
export type Mismatch = { readonly point: Point; readonly differs: 'last' | 'somewhere' }

type Read = { readonly statement: RecordStatement; readonly seq: number; readonly previous: string | null }
/** A record that does not fit where it stands: the one after it tells which of two is the bad one. */
type Suspect = { readonly read: Read; readonly digest: string }

/**
 * Walks over the records of one chain, in order, with little memory: each is a record of this chain, names the one before it, and the tree over them has the
 * roots that the checkpoints say. `published` is a head that must be among them.
 */
export class Walk {
  readonly #environment: string
  readonly #start: ChainStart | undefined
  readonly #points: ReadonlyMap<number, readonly Point[]>
  readonly #published: PublishedHead | undefined
  readonly #tree: Frontier
  readonly #good: Point[] = []
  readonly #mismatched: Mismatch[] = []
  readonly #rotations: Rotation[] = []
  #head: string | null
  #seen: boolean
  #pruneTold: boolean
  #suspect: Suspect | undefined
  #bad: Defect | undefined

  constructor(environment: string, start: ChainStart | null | undefined, points: readonly Point[], published: string | undefined) {
    this.#environment = environment
    this.#start = start ?? undefined
    this.#points = Map.groupBy(points, ({ says }) => says.size)
    this.#published = published === undefined ? undefined : (publishedHeadOf(published) ?? { digest: published, size: undefined })
    this.#tree = new Frontier(this.#start)
    this.#head = this.#start?.head ?? null
    this.#seen = published === undefined || this.#isPublished(this.#head)
    this.#pruneTold = this.#start === undefined
  }

  /** Takes the next record. Tells whether to go on: not behind the first bad one. */
  take(text: string): boolean {
    if (this.#bad !== undefined) return false
    const seq = this.#tree.size
    const read = this.#read(text, this.#suspect === undefined ? seq : undefined)
    if (this.#suspect !== undefined) {
      this.#bad = this.#judge(this.#suspect, read)
      return false
    }
    if (read === undefined) return false
    const digest = digestOfBytes(text)
    if (read.seq !== seq || read.previous !== this.#head) {
      this.#suspect = { read, digest }
      return true
    }
    this.#add(read.statement, digest)
    return true
  }

  end(): Walked {
    if (this.#suspect !== undefined && this.#bad === undefined) this.#bad = this.#judge(this.#suspect, undefined)
    const size = this.#tree.size
    const defects: Defect[] = this.#bad === undefined ? [] : [this.#bad]
    if (this.#bad === undefined) {
      if (!this.#seen) defects.push(this.#unseen())
      if (!this.#pruneTold) defects.push({ where: `records 0 to ${(this.#start?.size ?? 0) - 1}`, what: 'are missing, and no record says that they were pruned' })
    }
    const beyond = this.#bad === undefined ? [...this.#points].filter(([covered]) => covered > size).flatMap(([, points]) => points) : []
    return { environment: this.#environment, size, pruned: this.#start?.size ?? 0, head: this.#head, defects, good: this.#good, mismatched: this.#mismatched, beyond, rotations: this.#rotations }
  }

  /** `undefined` for what is no record of this chain; where it is known which one it would have to be (`seq`), that is the first bad one. */
  #read(text: string, seq: number | undefined): Read | undefined {
    const bad = (what: string): undefined => {
      if (seq !== undefined) this.#bad = { where: `record ${seq}`, what }
      return undefined
    }
    let statement: RecordStatement
    try {
      statement = JSON.parse(text) as RecordStatement
    } catch {
      return bad('is not JSON')
    }
    const link = linkOf(statement ?? {})
    if (!Object.hasOwn(recordKinds, statement?.predicateType) || link === undefined) return bad('is not a record')
    if (link.environment !== this.#environment) return bad(`belongs to the chain of ${link.environment}`)
    return { statement, seq: link.seq, previous: link.previous }
  }

  #judge({ read, digest }: Suspect, next: Read | undefined): Defect {
    const seq = this.#tree.size
    if (read.seq !== seq) {
      if (next?.seq === seq) return { where: `record ${seq}`, what: `stands behind record ${read.seq}: they were swapped` }
      return { where: `record ${seq}`, what: `is missing: record ${read.seq} stands in its place` }
    }
    if (seq === (this.#start?.size ?? 0)) return { where: `record ${seq}`, what: seq === 0 ? 'names a record before it, and is the first' : 'does not name the last of the records that were pruned' }
    // Who comes next, or a checkpoint, says that this one is as it was: then the one before it is not.
    const isAsItWas = next === undefined ? (this.#points.get(seq + 1) ?? []).some(({ says }) => says.head === digest) : next.previous === digest
    if (isAsItWas) return { where: `record ${seq - 1}`, what: `was changed: record ${seq} names the digest that it had` }
    return { where: `record ${seq}`, what: 'was changed: it does not name the record before it' }
  }

  #add(statement: RecordStatement, digest: string): void {
    const points = this.#points.get(this.#tree.size + 1)
    const before = points === undefined ? undefined : this.#tree.toJSON()
    this.#tree.append(Buffer.from(digest))
    this.#head = digest
    this.#seen ||= this.#isPublished(digest)
    const rotation = rotationOf(statement, digest)
    if (rotation !== undefined) this.#rotations.push(rotation)
    if (statement.predicateType === pruneType) this.#pruneTold ||= this.#tells(statement.predicate)
    const root = points === undefined ? '' : this.#tree.root().toString('hex')
    for (const point of points ?? []) {
      if (point.says.root === root && point.says.head === digest) this.#good.push(point)
      else this.#mismatched.push({ point, differs: this.#differs(before, point) })
    }
  }

  #isPublished(digest: string | null): boolean {
    const { size = this.#tree.size, ...head } = this.#published ?? { digest: '' }
    return digest === head.digest && size === this.#tree.size
  }

  /** The head that was published is not here: it was pruned, as far as its size tells, or it was cut off. */
  #unseen(): Defect {
    const { digest, size } = this.#published ?? { digest: '', size: undefined }
    const pruned = this.#start?.size ?? 0
    if (size !== undefined && size < pruned) return { where: `record ${size - 1}`, what: `was pruned, with the head ${digest} that was published: it can no longer be looked for, and a newer one has to be given` }
    const perhaps = pruned > 0 && size === undefined ? `, unless it is that of one of the ${pruned} records that were pruned: give its size too (@SIZE)` : ''
    return { where: `record ${size === undefined ? this.#tree.size : size - 1}`, what: `${size === undefined || size > this.#tree.size ? 'is missing' : 'is another one'}: the head ${digest} that was published is not in the chain${perhaps}` }
  }

  /** The links hold and the root does not: the last record alone was changed, or one before it and every digest after it. */
  #differs(before: FrontierJson | undefined, { says }: Point): Mismatch['differs'] {
    const asSaid = new Frontier(before)
    asSaid.append(Buffer.from(String(says.head)))
    return asSaid.root().toString('hex') === says.root ? 'last' : 'somewhere'
  }

  #tells({ size, head, roots }: PrunePredicate): boolean {
    return size === this.#start?.size && head === this.#start.head && Array.isArray(roots) && roots.join() === this.#start.roots.join()
  }
}
