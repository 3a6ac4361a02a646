import type { Adoption } from '#model/adoption.ts'
import type { AdoptionView } from '#model/api/drift-views.ts'

const iso = (at: number): string => new Date(at).toISOString()

export function viewAdoption(adoption: Adoption): AdoptionView {
  const { finding, state, by, reason, askedAt, deadline, repository, branch, to, commit, pullRequest, failure } = adoption
  return {
    finding, state, by, reason, askedAt: iso(askedAt), deadline: iso(deadline), repository, branch, to, commit, pullRequest,
    edits: adoption.edits.map((edit) => ({ ...edit })), renamed: adoption.renamed.map((one) => ({ ...one })), unproven: [...adoption.unproven], failure,
    delivered: adoption.delivered === undefined ? null : { ...adoption.delivered },
  }
}
