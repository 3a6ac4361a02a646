import { matchesGlob } from './glob.ts'

/** From least to most. Each may do what the one before it may. */
export const roles = ['viewer', 'developer', 'approver', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** A named person or machine. `environments: ['*']` is all. */
export type Principal = {
  readonly name: string
  readonly emails: readonly string[]
  readonly grants: readonly { readonly role: Role; readonly environments: readonly string[] }[]
}

/** The addresses by which a commit is a principal's: their own, and the one that Plumbline commits with for who has none. */
export function addressesOf({ name, emails }: Pick<Principal, 'name' | 'emails'>): readonly [string, ...string[]] {
  const [first, ...more] = emails
  const made = `${name}@plumbline.invalid`
  return first === undefined ? [made] : [first, ...more, made]
}

/** Whether a principal has a role, or a higher one, in an environment. */
export function holdsRole(principal: Pick<Principal, 'grants'>, role: Role, environment: string): boolean {
  return principal.grants.some((grant) => roles.indexOf(grant.role) >= roles.indexOf(role) && grant.environments.some((glob) => glob === '*' || matchesGlob(glob, environment)))
}

/** Of what principals did, what was done by those who have the role for it still: whose role was taken back has no say any more. */
export function byHolders<Done extends { readonly principal: string }>(done: readonly Done[], known: readonly Principal[], role: Role, environment: string): Done[] {
  const holders = new Set(known.filter((principal) => holdsRole(principal, role, environment)).map(({ name }) => name))
  return done.filter(({ principal }) => holders.has(principal))
}
