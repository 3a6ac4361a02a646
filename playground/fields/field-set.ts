import { isObject, type JsonObject } from '#lib/json.ts'
import { comparePathElements, parsePathElement, type PathElement } from './path-element.ts'

/**
 * A set of field paths: `members` are the paths that end here, `children` the longer ones. Values are never changed after they were handed on,
 * only while they are built with `insert`.
 * Source of the operations and their names: structured-merge-diff `fieldpath.Set`.
 */
export class FieldSet {
  readonly members = new Set<PathElement>()
  readonly children = new Map<PathElement, FieldSet>()

  static of(...paths: readonly (readonly PathElement[])[]): FieldSet {
    const set = new FieldSet()
    for (const path of paths) set.insert(path)
    return set
  }

  insert(path: readonly PathElement[], from = 0): void {
    const element = path[from]
    if (element === undefined) return
    if (from === path.length - 1) {
      this.members.add(element)
      return
    }
    let child = this.children.get(element)
    if (child === undefined) {
      child = new FieldSet()
      this.children.set(element, child)
    }
    child.insert(path, from + 1)
  }

  get empty(): boolean {
    if (this.members.size > 0) return false
    for (const child of this.children.values()) if (!child.empty) return false
    return true
  }

  has(path: readonly PathElement[], from = 0): boolean {
    const element = path[from]
    if (element === undefined) return false
    return from === path.length - 1 ? this.members.has(element) : (this.children.get(element)?.has(path, from + 1) ?? false)
  }

  union(other: FieldSet): FieldSet {
    const set = new FieldSet()
    for (const element of this.members) set.members.add(element)
    for (const element of other.members) set.members.add(element)
    for (const [element, child] of this.children) set.children.set(element, child.union(other.children.get(element) ?? nothing))
    for (const [element, child] of other.children) if (!this.children.has(element)) set.children.set(element, child)
    return set
  }

  intersection(other: FieldSet): FieldSet {
    const set = new FieldSet()
    for (const element of this.members) if (other.members.has(element)) set.members.add(element)
    for (const [element, child] of this.children) {
      const match = other.children.get(element)
      if (match !== undefined) set.adopt(element, child.intersection(match))
    }
    return set
  }

  /** Without the very paths of `other`; what lies below them stays. */
  difference(other: FieldSet): FieldSet {
    const set = new FieldSet()
    for (const element of this.members) if (!other.members.has(element)) set.members.add(element)
    for (const [element, child] of this.children) set.adopt(element, child.difference(other.children.get(element) ?? nothing))
    return set
  }

  /** Without the paths of `other` and all that lies below them. */
  recursiveDifference(other: FieldSet): FieldSet {
    const set = new FieldSet()
    for (const element of this.members) if (!other.members.has(element)) set.members.add(element)
    for (const [element, child] of this.children) {
      if (!other.members.has(element)) set.adopt(element, child.recursiveDifference(other.children.get(element) ?? nothing))
    }
    return set
  }

  /** Every path: the members of a level in their order first, then what lies deeper. */
  paths(): PathElement[][] {
    const all: PathElement[][] = [...this.members].sort(comparePathElements).map((element) => [element])
    for (const element of [...this.children.keys()].sort(comparePathElements)) {
      for (const path of (this.children.get(element) as FieldSet).paths()) all.push([element, ...path])
    }
    return all
  }

  toFieldsV1(): JsonObject {
    const fields: JsonObject = {}
    const elements = new Set([...this.members, ...this.children.keys()])
    for (const element of [...elements].sort(comparePathElements)) {
      const child = this.children.get(element)
      const below = child === undefined || child.empty ? undefined : child.toFieldsV1()
      if (below === undefined && !this.members.has(element)) continue
      fields[element] = below === undefined ? {} : this.members.has(element) ? { '.': {}, ...below } : below
    }
    return fields
  }

  /** Throws an `Error` that says what cannot be read. */
  static fromFieldsV1(fields: unknown): FieldSet {
    if (!isObject(fields)) throw new Error('fieldsV1 is not an object')
    const set = new FieldSet()
    for (const [key, value] of Object.entries(fields)) {
      if (key === '.') continue
      const element = parsePathElement(key)
      if (element === undefined) throw new Error(`unable to parse path element ${JSON.stringify(key)}`)
      if (!isObject(value)) throw new Error(`the value of ${JSON.stringify(key)} is not an object`)
      if ('.' in value || Object.keys(value).length === 0) set.members.add(element)
      set.adopt(element, FieldSet.fromFieldsV1(value))
    }
    return set
  }

  private adopt(element: PathElement, child: FieldSet): void {
    if (!child.empty) this.children.set(element, child)
  }
}

const nothing = new FieldSet()
