import { z } from 'zod'
import { duration, name } from '#model/config/parts.ts'

export const schema = z
  .strictObject({
    address: name.describe('The environment’s address that is connected to: `host:port`, or a URL.'),
    send: z.string().max(10_000).optional().describe('What is said after connecting, as it is written: `"PING\\r\\n"`.'),
    expect: z.string().min(1).max(1_000).optional().describe('A text that must be in the first 64 KiB that the server says.'),
    latency: z
      .strictObject({
        warn: duration.optional().describe('Slower than this warns.'),
        max: duration.optional().describe('Slower than this fails.'),
      })
      .optional()
      .describe('How long connecting, and being answered, may take.'),
  })
  .describe('Connects to a TCP port, and reads what is said there if something is expected.')

export type TcpConfig = z.output<typeof schema>
