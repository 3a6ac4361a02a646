import { z } from 'zod'
import { name } from '#model/config/parts.ts'
import { celText } from '../cel-text.ts'

const exitCode = z.int().min(0).max(255)
const argument = z.string().max(4_000)

export const schema = z
  .strictObject({
    target: name.describe('The environment’s cluster, where it runs as a Job, or its host.'),
    image: z.string().min(1).max(500).optional().describe('On a cluster: the image, of those that the environment lists for the target.'),
    argv: z.array(argument).min(1).max(100).optional().describe('On a cluster: the program in the image and its arguments, without a shell; what the image itself starts, if left out.'),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'), argument).default({}).describe('On a cluster: variables of its environment. No secrets: those are the service account’s to have.'),
    run: name.optional().describe('On a host: the name of a command that the environment lists for the target.'),
    arguments: z.array(argument).max(100).default([]).describe('On a host: what it is given beside what the environment says, if that says that it takes arguments.'),
    exit: z.union([exitCode, z.array(exitCode).min(1).max(20)]).default(0).describe('The exit code that is expected, or a list of them.'),
    cel: celText.optional().describe('A CEL expression that must be true, over `output` (what it wrote, read as JSON) and `exit`.'),
  })
  .refine(({ image, run }) => (image === undefined) !== (run === undefined), 'expected either image or run')
  .refine((config) => config.image !== undefined || (config.argv === undefined && Object.keys(config.env).length === 0), 'expected image beside argv and env')
  .refine((config) => config.run !== undefined || config.arguments.length === 0, 'expected run beside arguments')
  .describe('Runs a command, as a Job or on a host that the operator allows, and looks at its exit code or at the JSON that it writes.')

export type CommandConfig = z.output<typeof schema>
