import { hash } from 'node:crypto'
import { canonicalJson, type Json, type JsonObject } from '#lib/json.ts'
import { answeredOf } from '#model/field-facts.ts'
import { parsePath, readPath, type Segment } from '#model/field-path.ts'
import type { FieldPath, Held } from '#model/plan.ts'
import { parseKey, type ObjectKey } from '#model/resource.ts'

/** What a sighting is worth: `fine` needs no look; a `stranger` is not held. */
type Seen = 'fine' | 'look' | 'stranger'

/**
 * The declared paths of objects: most of a kind declare the same ones. They are one text, a line a path, and are read once only where several share them: a
 * set of its own for each of many objects would cost far more than they do. `uses`: by how many; none, and it is gone.
 */
type PathSet = { readonly text: string; uses: number; segments: readonly (readonly Segment[])[] | undefined }

const usesToKeep = 4

const digestWords = 4
const firstSlots = 1_024
const mostStrangers = 500

/**
 * What is known of each object that is held: its declared paths, the digest of the values that are fine there, and that of those that were seen last. No
 * object is kept: an entry costs its name and some forty bytes. An entry is `fine` while what is seen equals what was declared and answered, or what a look found to be as
 * declared; `drifted` while a look found otherwise: then every sighting is a reason to look.
 */
export class LiveIndex {
  readonly #slots = new Map<ObjectKey, number>()
  readonly #free: number[] = []
  /** The newest of what was seen and is not held. */
  readonly #strangers = new Map<ObjectKey, { readonly uid: string; readonly body: JsonObject }>()
  #fine = new Uint32Array(firstSlots * digestWords)
  #last = new Uint32Array(firstSlots * digestWords)
  #round = new Uint32Array(firstSlots)
  #flags = new Uint8Array(firstSlots)
  readonly #sets: (PathSet | undefined)[] = []
  readonly #setByText = new Map<string, PathSet>()
  /** What is fine only as long as somebody else is there. */
  readonly #yielded = new Set<ObjectKey>()
  /** The list that is under way of a kind, or was last. */
  readonly #rounds = new Map<string, number>()
  #used = 0

  /** How many sets of paths are kept. */
  get sets(): number {
    return this.#setByText.size
  }

  get size(): number {
    return this.#slots.size
  }

  /** Takes a row of the inventory. Tells whether what was seen last is what it says; else the object is to be looked at. */
  expect(held: Pick<Held, 'key' | 'uid' | 'fields'>): 'fine' | 'look' {
    const known = this.#slots.get(held.key)
    const slot = known ?? this.#add(held.key)
    const set = this.#setOf(held.fields.map(({ path }) => path))
    const isSame = known !== undefined && this.#sets[slot] === set
    if (!isSame) this.#use(slot, set)
    this.#write(this.#fine, slot, digestOf(held.uid, held.fields.map(answeredOf)))
    // It has findings, which a look resolves.
    const wasDrifted = known !== undefined && this.#flags[slot] === drifted
    // Over other paths, what was seen last says nothing.
    if (!isSame) this.#last.fill(0, slot * digestWords, (slot + 1) * digestWords)
    const stranger = this.#strangers.get(held.key)
    if (stranger !== undefined) this.#write(this.#last, slot, this.#digestAt(slot, stranger.uid, stranger.body))
    this.#strangers.delete(held.key)
    return this.#equal(slot) && !wasDrifted ? 'fine' : 'look'
  }

  forget(key: ObjectKey): void {
    const slot = this.#slots.get(key)
    if (slot === undefined) return
    this.#slots.delete(key)
    this.#yielded.delete(key)
    this.#use(slot, undefined)
    this.#free.push(slot)
  }

  /** An object was seen, perhaps for the second time, perhaps late. What is not held is for who asked to look at. */
  see(key: ObjectKey, uid: string, body: JsonObject): Seen {
    const slot = this.#slots.get(key)
    if (slot === undefined) {
      // What we make is seen before it is held: it is kept for a moment, so that it need not be read again then.
      this.#strangers.delete(key)
      this.#strangers.set(key, { uid, body })
      for (const oldest of this.#strangers.keys()) if (this.#strangers.size > mostStrangers) this.#strangers.delete(oldest)
      return 'stranger'
    }
    this.#round[slot] = this.#rounds.get(kindOf(key)) ?? 0
    this.#write(this.#last, slot, this.#digestAt(slot, uid, body))
    return this.#flags[slot] === drifted || !this.#equal(slot) ? 'look' : 'fine'
  }

  /** An object was seen while it is being deleted: nothing that is there of it is fine. */
  seeLeaving(key: ObjectKey): Seen {
    const slot = this.#slots.get(key)
    if (slot === undefined) return 'stranger'
    this.#round[slot] = this.#rounds.get(kindOf(key)) ?? 0
    this.#last.fill(0, slot * digestWords, (slot + 1) * digestWords)
    return 'look'
  }

  /**
   * An object was looked at, and is as declared: so what is there is fine, in whatever form. What a controller rightly moved (`yielded`) is fine only as long as
   * that is there, and nothing tells of the object itself when it goes: every list looks again.
   */
  settle(key: ObjectKey, uid: string, body: JsonObject, said: 'fine' | 'yielded'): void {
    const slot = this.#slots.get(key)
    if (slot === undefined) return
    this.#flags[slot] = 0
    if (said === 'yielded') this.#yielded.add(key)
    else this.#yielded.delete(key)
    this.#write(this.#fine, slot, this.#digestAt(slot, uid, body))
  }

  /** An object was looked at, and is not as declared; or it has a finding that a look may resolve. Tells whether what was seen last says otherwise. */
  mark(key: ObjectKey): 'seen as fine' | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    this.#flags[slot] = drifted
    return this.#equal(slot) ? 'seen as fine' : undefined
  }

  /** What was found not to be as declared, whether or not anybody is to know. */
  marked(): ObjectKey[] {
    return [...this.#slots].flatMap(([key, slot]) => (this.#flags[slot] === drifted ? [key] : []))
  }

  /** A list of a kind begins. */
  begin(kind: ObjectKey): void {
    const name = kindOf(kind)
    this.#rounds.set(name, (this.#rounds.get(name) ?? 0) + 1)
  }

  /** What is fine only as long as somebody else is there. */
  yielded(): ObjectKey[] {
    return [...this.#yielded]
  }

  /** Something is gone: what beside it is fine only as long as something is there. */
  beside(gone: ObjectKey): ObjectKey[] {
    const { namespace } = parseKey(gone)
    return [...this.#yielded].filter((key) => key !== gone && parseKey(key).namespace === namespace)
  }

  /** The list of a kind is whole: those that it did not show, and those that it cannot tell are still fine. */
  end(kind: ObjectKey): ObjectKey[] {
    const name = kindOf(kind)
    const round = this.#rounds.get(name)
    const missing = [...this.#yielded].filter((key) => kindOf(key) === name)
    for (const [key, slot] of this.#slots) if (this.#round[slot] !== round && kindOf(key) === name) missing.push(key)
    return missing
  }

  #add(key: ObjectKey): number {
    const slot = this.#free.pop() ?? this.#used++
    if (slot >= this.#flags.length) this.#grow()
    this.#slots.set(key, slot)
    this.#round[slot] = 0
    this.#flags[slot] = 0
    this.#last.fill(0, slot * digestWords, (slot + 1) * digestWords)
    return slot
  }

  #grow(): void {
    const size = this.#flags.length * 2
    const [fine, last, round, flags] = [new Uint32Array(size * digestWords), new Uint32Array(size * digestWords), new Uint32Array(size), new Uint8Array(size)]
    fine.set(this.#fine)
    last.set(this.#last)
    round.set(this.#round)
    flags.set(this.#flags)
    this.#fine = fine
    this.#last = last
    this.#round = round
    this.#flags = flags
  }

  #setOf(paths: readonly FieldPath[]): PathSet {
    const text = paths.join('\n')
    return this.#setByText.get(text) ?? { text, uses: 0, segments: undefined }
  }

  #use(slot: number, set: PathSet | undefined): void {
    const before = this.#sets[slot]
    this.#sets[slot] = set
    if (set !== undefined) {
      this.#setByText.set(set.text, set)
      set.uses += 1
      if (set.uses === usesToKeep) set.segments = segmentsOf(set)
    }
    if (before !== undefined && (before.uses -= 1) === 0) this.#setByText.delete(before.text)
  }

  #digestAt(slot: number, uid: string, body: JsonObject): Buffer {
    return digestOf(uid, segmentsOf(this.#sets[slot]).map((segments) => readPath(body, segments) ?? null))
  }

  #write(into: Uint32Array, slot: number, digest: Buffer): void {
    for (let word = 0; word < digestWords; word += 1) into[slot * digestWords + word] = digest.readUInt32LE(word * 4)
  }

  #equal(slot: number): boolean {
    for (let word = slot * digestWords; word < (slot + 1) * digestWords; word += 1) if (this.#fine[word] !== this.#last[word]) return false
    return true
  }
}

const drifted = 1

function segmentsOf(set: PathSet | undefined): readonly (readonly Segment[])[] {
  return set === undefined || set.text === '' ? [] : (set.segments ?? set.text.split('\n').map((path) => parsePath(path)))
}

/** Of an object and what is, or is to be, at its declared paths. */
function digestOf(uid: string, values: readonly Json[]): Buffer {
  return hash('sha256', `${uid}\n${canonicalJson(values)}`, 'buffer')
}

export function kindOf(key: ObjectKey): string {
  const { group, kind } = parseKey(key)
  return `${group === '' ? 'core' : group}/${kind}`
}
