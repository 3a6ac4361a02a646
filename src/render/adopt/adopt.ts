import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { equalJson } from '#lib/json.ts'
import { readPath } from '#model/field-path.ts'
import { parseKey, showKey } from '#model/resource.ts'
import { kustomizationNames } from '../kustomize/collect.ts'
import { changedTree } from './changed-tree.ts'
import { brought, foldRemovals, isWithout } from './compare.ts'
import type { Bodies } from './compare.ts'
import { editsOf } from './edits.ts'
import { declarations } from './gone.ts'
import { newLiteral } from './in-generators.ts'
import { newImage } from './in-kustomization.ts'
import { intoManifests } from './in-manifests.ts'
import { deletingPatch, namesAt, newPatch } from './overlay-patch.ts'
import { Prover } from './prove.ts'
import type { Rendered } from './prove.ts'
import { soughtOf, turns } from './sought.ts'
import type { Ranked, Sought } from './sought.ts'
import { textsOf } from './texts.ts'
import type { Text } from './texts.ts'
import type { Adoption, Answer, Changes, Proposal, WishedField } from './wish.ts'
import { written } from './written.ts'

/**
 * Each try is a rendering: what is not found among the likeliest is not looked for for ever. Some are kept for what is not written yet, so that a base in which
 * much looks alike does not use them all up.
 */
const mostTries = 24
const triesForNew = 8

/**
 * Looks for the edit that makes a wish come true, and proves it: the rendering of the place is as it was but for what is wished, and every other
 * place renders as it did. The files' bytes change where the edit is, and nowhere else.
 */
export async function searchAdoption(adoption: Adoption): Promise<Answer> {
  const { key } = adoption.wish
  const prover = new Prover(adoption)
  const before = await prover.asIs(adoption.place)
  if ('failure' in before) return { outcome: 'refused', failure: before.failure.toJSON() }
  const refused = unfit(adoption, before.bodies)
  if (refused !== undefined) return refused
  const search = new Search(adoption, prover, before.bodies)
  const problem = adoption.wish.kind === 'gone' ? await search.remove(before) : await search.place(before, adoption.wish.fields)
  if (problem !== undefined) return refusal('adopt-no-place', key, problem, 'Change it in Git by hand, or bring the live object back to what Git says.')
  if (search.changes.size === 0) return { outcome: 'already' }
  const proposal: Proposal = { edits: await editsOf(adoption.reader, search.changes), files: search.changes, renamed: search.renamed, unproven: await prover.unproven() }
  return { outcome: 'proposed', proposal }
}

function unfit({ wish }: Adoption, bodies: Bodies): Answer | undefined {
  const body = bodies.get(wish.key)
  if (body === undefined) return wish.kind === 'gone' ? { outcome: 'already' } : refusal('adopt-not-declared', wish.key, 'Git does not declare it', 'There is nothing of it in Git that could be another.')
  if (wish.kind === 'gone') return undefined
  const unknown = wish.fields.find(({ path, live }) => live !== undefined && readPath(body, path) === undefined)
  if (unknown !== undefined) return refusal('adopt-not-declared', wish.key, `Git does not declare ${unknown.path}`, 'Only what Git declares is adopted; what nobody declared is not ours.')
  const moved = wish.fields.find(({ path, live, was }) => was !== undefined && ![was, live ?? null].some((value) => equalJson(readPath(body, path) ?? null, value)))
  if (moved !== undefined) return refusal('adopt-moved', wish.key, `Git says something else of ${moved.path} since what was delivered`, 'Deliver that first, or change it in Git: it is another’s word, and is not written over.')
  const isSecret = parseKey(wish.key).kind === 'Secret' && wish.fields.some(({ path }) => /^(data|stringData|binaryData)\b/.test(path))
  return isSecret ? refusal('adopt-secret', wish.key, 'a Secret’s values are never written to Git', 'Change the value where its reference leads.') : undefined
}

function refusal(code: string, key: string, message: string, hint: string): Answer {
  return { outcome: 'refused', failure: new Failure({ code, subject: showKey(key), message, hint }).toJSON() }
}

/** The likeliest first. Of what is written already so many that tries are left for what is new; the rest of it comes last. */
function inTurn(candidates: readonly Ranked[]): readonly Ranked[] {
  const sorted = candidates.toSorted((a, b) => a.rank - b.rank)
  const written = sorted.filter(({ rank }) => rank < turns.intoOwn)
  const fresh = sorted.filter(({ rank }) => rank >= turns.intoOwn)
  const first = mostTries - Math.min(triesForNew, fresh.length)
  return [...written.slice(0, first), ...fresh, ...written.slice(first)]
}

class Search {
  changes: Changes = new Map()
  renamed: Proposal['renamed'] = []
  /** Said where not everything was tried. */
  #gaveUp = ''
  readonly #adoption: Adoption
  readonly #prover: Prover
  readonly #before: Bodies

  constructor(adoption: Adoption, prover: Prover, before: Bodies) {
    this.#adoption = adoption
    this.#prover = prover
    this.#before = before
  }

  /** Field by field, each on top of the ones before it. An edit may bring several at once. Answers why not, where one has no place. */
  async place(before: Rendered, fields: readonly WishedField[]): Promise<string | undefined> {
    let rendered = before
    const { key } = this.#adoption.wish
    let name = key
    const wanted = foldRemovals(this.#before.get(key) ?? {}, fields)
    for (const field of wanted) {
      const body = 'bodies' in rendered ? rendered.bodies.get(name) : undefined
      if (body === undefined) return `${field.path}: the object is gone from the rendering`
      if (equalJson(readPath(body, field.path) ?? null, field.live ?? null)) continue
      const found = await this.#first(await this.#candidates(soughtOf(name, body, field), rendered), async (after) => {
        if (!('bodies' in after)) return false
        const all = brought(this.#before, after.bodies, key, wanted)
        if (all === undefined || !all.fields.includes(field)) return false
        this.renamed = all.renamed === undefined ? [] : [all.renamed]
        name = all.renamed?.to ?? key
        return true
      })
      if (found === undefined) return `no edit of the files that were read gives ${field.path} its live value here and changes nothing else${this.#gaveUp}`
      rendered = found
    }
    return undefined
  }

  async remove(before: Rendered): Promise<string | undefined> {
    const { key } = this.#adoption.wish
    const texts = await textsOf(this.#adoption.reader, before.read, (path) => this.#prover.sharing(path))
    const root = this.#root(texts)
    const body = this.#before.get(key) ?? {}
    const candidates = [...declarations(key, texts), ...(root === undefined ? [] : await deletingPatch(root, this.#adoption.reader, key, body, namesAt(root, key)))]
    const found = await this.#first(candidates, async (after) => 'bodies' in after && isWithout(this.#before, after.bodies, key))
    return found === undefined ? 'no edit of the files that were read takes the object out here and changes nothing else' + this.#gaveUp : undefined
  }

  async #candidates(sought: Sought, rendered: Rendered): Promise<Ranked[]> {
    const reader = changedTree(this.#adoption.reader, this.changes)
    const sharing = (path: string): Promise<number> => this.#prover.sharing(path)
    const texts = await textsOf(reader, rendered.read, sharing)
    const root = this.#root(texts)
    return [
      ...(await written(sought, texts, reader, sharing)),
      ...(root === undefined ? [] : [...intoManifests(sought, texts, posix.dirname(root.file)), ...newImage(sought, root), ...newLiteral(sought, root, texts), ...(await newPatch(sought, root, reader, namesAt(root, sought.key)))]),
    ]
  }

  /** The first candidate that does what it should, and leaves all other places alone; its changes are kept. */
  async #first(candidates: readonly Ranked[], isWished: (after: Rendered) => Promise<boolean>): Promise<Rendered | undefined> {
    const tried = new Set<string>()
    this.#gaveUp = ''
    for (const { changes } of inTurn(candidates)) {
      const all = new Map([...this.changes, ...changes])
      const name = [...changes].map(([path, bytes]) => `${path}\0${bytes?.toString('latin1') ?? ''}`).join('\0')
      if (tried.has(name)) continue
      tried.add(name)
      if (tried.size > mostTries) {
        this.#gaveUp = `; it was given up after ${mostTries} tries`
        return undefined
      }
      const after = await this.#prover.render(this.#adoption.place, all)
      if (!(await isWished(after)) || !(await this.#prover.leavesOthersAlone(all))) continue
      this.changes = all
      return after
    }
    return undefined
  }

  /** The kustomization of the place itself: what is put there counts for this place, and for whatever builds on it. */
  #root(texts: readonly Text[]): Text | undefined {
    const folder = posix.normalize(this.#adoption.place.path)
    return texts.find(({ file, isKustomization }) => isKustomization && kustomizationNames.some((name) => posix.join(folder, name) === file))
  }
}
