import { z } from 'zod'
import { duration, name } from '#model/config/parts.ts'
import { celText } from '../cel-text.ts'

const text = z.string().min(1).max(253)

export const schema = z
  .strictObject({
    target: name.describe('The environment’s cluster.'),
    apiVersion: text.describe('`v1`, `apps/v1`.'),
    kind: text.describe('`Deployment`. Of a Secret only the metadata and the names of its keys are seen.'),
    namespace: text.optional().describe('The namespace; left out for kinds that have none, and, with `selector`, for all.'),
    name: text.optional().describe('The object’s name.'),
    selector: z.string().min(1).max(1_000).optional().describe('Instead of `name`: a label selector, `app=orders,tier!=cache`.'),
    cel: celText.optional().describe('A CEL expression that must be true, over `object` (with `name`) or `objects` (with `selector`).'),
    condition: z
      .strictObject({
        type: text.describe('The type of a condition in `status.conditions`: `Available`.'),
        status: z.enum(['True', 'False', 'Unknown']).default('True').describe('What its status must be.'),
      })
      .optional()
      .describe('A condition that the object, or every object, must have.'),
    count: z
      .strictObject({
        equals: z.int().min(0).optional().describe('How many there must be.'),
        min: z.int().min(0).optional().describe('The least that there may be.'),
        max: z.int().min(0).optional().describe('The most that there may be.'),
        warn: z.int().min(0).optional().describe('Beyond this it warns: above it, or, with `min` and without `max`, below it.'),
      })
      .optional()
      .describe('With `selector`: how many objects there are. Without it, at least one must be there.'),
    restarts: z
      .strictObject({
        within: duration.describe('How far back from now.'),
        max: z.int().min(0).default(0).describe('The most restarts that the containers of all the pods may have had since then.'),
      })
      .optional()
      .describe('Of Pods: how often their containers may have been restarted.'),
  })
  .refine((config) => (config.name === undefined) !== (config.selector === undefined), 'expected either name or selector')
  .refine((config) => config.count === undefined || config.selector !== undefined, 'expected selector beside count')
  .refine((config) => config.restarts === undefined || (config.kind === 'Pod' && config.apiVersion === 'v1'), 'expected kind Pod of apiVersion v1 beside restarts')
  .describe('Reads one object, or the objects that a selector finds, from a cluster, and holds them against a rule. Without a rule they must be there.')

export type KubernetesConfig = z.output<typeof schema>
