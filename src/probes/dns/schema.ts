import { z } from 'zod'
import { name } from '#model/config/parts.ts'

const record = z.string().min(1).max(2_000)

export const schema = z
  .strictObject({
    name: z.string().min(1).max(255).describe('The name that is asked for.'),
    type: z.enum(['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV']).default('A').describe('The type of the records.'),
    resolver: name.optional().describe('The environment’s address of the name server that is asked (port 53, if it has none); the control plane’s own, if left out.'),
    resolvers: z.array(name).min(2).max(10).optional().describe('Instead of `resolver`: several name servers, which must all answer, and agree.'),
    contains: record.optional().describe('A record that must be among them: `10.0.0.1`, `10 mail.example`, `0 5 5060 sip.example`.'),
    equals: z.union([record, z.array(record).max(100)]).optional().describe('All the records that there must be, in any order.'),
    min: z.int().min(0).max(1_000).optional().describe('How many records there must be at least. 1, if nothing else is asked.'),
  })
  .refine(({ resolver, resolvers }) => resolver === undefined || resolvers === undefined, 'expected either resolver or resolvers')
  .describe('Asks a name server, or several, for the records of a name.')

export type DnsConfig = z.output<typeof schema>
