import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { Grant } from '#api/client.ts'
import { roles } from '#model/principal.ts'
import type { Role } from '#model/principal.ts'
import { connect } from '../connect.ts'
import { collect, common, durationOption } from '../options.ts'
import type { Common } from '../options.ts'
import { safe } from '../print/safe.ts'
import { columns, painter } from '../print/table.ts'
import type { Surroundings } from '../surroundings.ts'

/** Principals and their tokens. */
export function tokenCommands(program: Command, around: Surroundings): void {
  const token = program.command('token').description('principals and their tokens')
  common(token.command('create').description('grant a role to a principal, new or known, and make a token for it').argument('<name>'))
    .requiredOption('--role <role>', roles.join(', '), readRole)
    .option('-e, --env <environment>', 'an environment, or a glob; repeat it; all, if left out', collect)
    .option('--email <address>', 'an address that the principal commits with; repeat it', collect)
    .option('--for <duration>', 'how long the token is good', durationOption)
    .action(async (name: string, options: Common & { role: Role; email?: string[]; for?: number; env?: unknown }) => {
      const environments = Array.isArray(options.env) ? (options.env as string[]) : ['*']
      const made = await connect(options, around).client.createToken({
        name,
        role: options.role,
        environments,
        emails: options.email ?? [],
        ...(options.for === undefined ? {} : { forMs: options.for }),
      })
      if (options.json === true) return around.print(JSON.stringify(made, null, 2))
      around.note(`A token for ${made.name}, shown this once${made.expiresAt === null ? '' : `; good until ${made.expiresAt}`}. It may do all that ${made.name} may: ${granted(made.grants)}.`)
      around.print(made.token)
    })
  common(token.command('list').description('principals and what they may do')).action(async (options: Common) => {
    const { principals } = await connect(options, around).client.principals()
    if (options.json === true) return around.print(JSON.stringify({ principals }, null, 2))
    const head = ['NAME', 'GRANTS', 'E-MAIL'].map((text) => ({ text, tone: 'quiet' }) as const)
    const rows = principals.map((one) => [{ text: one.name }, { text: granted(one.grants) }, { text: safe(one.emails.join(', ')) }])
    for (const line of columns([head, ...rows], { width: around.width, elastic: [1, 2] }, painter(around))) around.print(line)
  })
  common(token.command('revoke').description('take a principal’s tokens and grants back').argument('<name>')).action(async (name: string, options: Common) => {
    const { done } = await connect(options, around).client.revokeTokens(name)
    if (options.json === true) around.print(JSON.stringify({ done }))
    else around.print(done ? `${name} has no token and no grant any more.` : `${name} had none.`)
  })
}

function granted(grants: readonly Grant[]): string {
  return grants.map((grant) => `${grant.role} in ${grant.environments.includes('*') ? 'all environments' : grant.environments.join(', ')}`).join('; ') || 'nothing'
}

function readRole(text: string): Role {
  const role = roles.find((one) => one === text)
  if (role === undefined) throw new InvalidArgumentError(`expected one of ${roles.join(', ')}`)
  return role
}
