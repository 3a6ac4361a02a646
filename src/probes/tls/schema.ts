import { z } from 'zod'
import { name } from '#model/config/parts.ts'

const host = z.string().min(1).max(255)

export const schema = z
  .strictObject({
    address: name.describe('The environment’s address that is connected to: `host:port`, or a URL; port 443, if it has none.'),
    host: host.optional().describe('The name that is asked for, and that the certificate must be for, where it differs from the address.'),
    names: z.array(host).max(100).default([]).describe('Further names that the certificate must be for.'),
    minDaysLeft: z.number().min(0).default(0).describe('With fewer days left until the first certificate of the chain ends, it fails.'),
    warnDaysLeft: z.number().min(0).optional().describe('With fewer days left, it warns.'),
    ca: z.string().max(100_000).optional().describe('Certificates of authorities (PEM) to trust in place of the system’s.'),
  })
  .describe('Shakes hands with a TLS server, and looks at its certificates: the chain, the names, the days left.')

export type TlsConfig = z.output<typeof schema>
