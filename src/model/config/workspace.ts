import { z } from 'zod'
import { notify } from './notify.ts'
import { apiVersion, duration, glob, name, secretRef } from './parts.ts'

/** What a repository may deliver to. Nothing that is not listed. */
const limits = z.union([
  z.literal('everything').describe('No limits: for the platform team’s own repository.'),
  z.strictObject({
    environments: z.array(glob).default([]).describe('Environments, by glob.'),
    targets: z.array(glob).default([]).describe('Targets, by glob: what it delivers to, and what its probes ask.'),
    namespaces: z.array(glob).default([]).describe('Kubernetes namespaces, by glob.'),
    kinds: z
      .union([z.literal('namespaced'), z.array(z.string())])
      .default([])
      .describe('`namespaced` (every kind that lives in a namespace), or a list of kinds such as `Deployment.apps`.'),
    secrets: z.array(glob).default([]).describe('Secret references, by glob.'),
  }),
])
export type Limits = z.output<typeof limits>

const gitCredentials = z.union([
  z.strictObject({
    ssh: z
      .strictObject({
        key: secretRef.describe('The private key.'),
        knownHosts: secretRef.describe('The lines of known_hosts that name the server. Unknown hosts are refused.'),
      })
      .describe('By SSH.'),
  }),
  z.strictObject({ token: secretRef.describe('A token for HTTPS.'), user: z.string().default('git').describe('The user name beside the token.') }),
])

const forge = z.strictObject({
  kind: z.enum(['github', 'gitlab', 'gitea', 'forgejo']).describe('What it is.'),
  url: z.string().regex(/^https?:\/\/[^\s@]+$/, 'expected the URL of the forge’s API, without credentials').optional().describe('Where its API is (`https://git.example`); github.com’s or gitlab.com’s, if left out.'),
  project: z.string().regex(/^[\w.-]+(\/[\w.-]+)+$/, 'expected owner/name').describe('The repository’s name there: `owner/name`.'),
  token: secretRef.describe('A token that may open pull requests.'),
})

const repository = z.strictObject({
  url: z.string().min(1).describe('A Git URL, or a path; `.` is the workspace’s own repository.'),
  branch: z.string().default('main').describe('The branch that is followed.'),
  allow: limits.default({ environments: [], targets: [], namespaces: [], kinds: [], secrets: [] }).describe('What it may deliver to.'),
  credentials: gitCredentials.optional().describe('How to sign in.'),
  webhook: z.strictObject({ secret: secretRef.describe('The secret that the forge signs with.') }).optional().describe('Webhooks of the forge are taken.'),
  forge: forge.optional().describe('Where pull requests are opened for what Plumbline commits; without it, there are branches.'),
  notes: z.boolean().default(false).describe('What became of its commits is pushed to it as Git notes (`refs/notes/plumbline`). The credentials must be allowed to push there.'),
  poll: duration.prefault('1m').describe('How often it is asked, beside webhooks.'),
})

/** How long records are kept: whole days, in milliseconds. */
const keep = z
  .string()
  .regex(/^[1-9]\d{0,3}d$/, 'expected a number of days such as 400d, up to 9999d')
  .transform((text) => Number.parseInt(text, 10) * 86_400_000)

export const workspace = z
  .strictObject({
    apiVersion,
    kind: z.literal('Workspace'),
    metadata: z.strictObject({ name: name.describe('The installation’s name.') }),
    spec: z.strictObject({
      repositories: z.record(name, repository).describe('The Git repositories that are followed.'),
      environments: z.union([glob, z.array(glob)]).default('environments/*.yaml').describe('Where the Environment documents are, in this repository.'),
      probeSets: z.union([glob, z.array(glob)]).default('probes/*.yaml').describe('Where the ProbeSet documents are, in this repository.'),
      modules: z.array(glob).default(['**/module.yaml']).describe('Where Module documents are looked for, in every repository.'),
      keepSamples: duration.prefault('30d').describe('How long the samples of probes are kept; records stay.'),
      records: z.strictObject({ keep: keep.optional().describe('How long records are kept; for ever, if left out. What is older is pruned, day by day, and what is left still verifies.') }).default({}).describe('The records of runs, verdicts and findings.'),
      notify: notify.describe('Where people are told of what happens, in every environment.'),
      operations: z.union([glob, z.array(glob)]).default('operations/*.yaml').describe('Where the Operation documents are, in this repository.'),
      guardrails: glob.optional().describe('Where the ValidatingAdmissionPolicy documents are, in this repository.'),
    }),
  })
  .describe('One installation’s configuration: `plumbline.yaml` at the root of the platform repository.')
export type Workspace = z.output<typeof workspace>
export type RepositoryConfig = z.output<typeof repository>
