/** From least to most. Each may do what the one before it may. */
export const roles = ['viewer', 'developer', 'approver', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** A named person or machine. `environments: ['*']` is all. */
export type Principal = {
  readonly name: string
  readonly emails: readonly string[]
  readonly grants: readonly { readonly role: Role; readonly environments: readonly string[] }[]
}
