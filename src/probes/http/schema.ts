import { z } from 'zod'
import { duration, name } from '#model/config/parts.ts'
import { authorization } from '../authorization.ts'
import { readJsonPath } from './json-path.ts'

/** Headers that carry credentials, or that belong to the connection. */
const refusedHeaders = ['authorization', 'proxy-authorization', 'cookie', 'host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect', 'te', 'trailer']

const statusRule = z.union([z.int().min(100).max(599), z.string().regex(/^[1-5]xx$/, 'expected a status such as 200, or a class such as 2xx')])

const text = z.string().min(1).max(10_000)

export const schema = z
  .strictObject({
    address: name.optional().describe('The environment’s address that is asked.'),
    url: z.string().max(2_000).regex(/^(https?:\/\/|\$\{)/, 'expected an http or https URL').optional().describe('Instead of `address`: a URL whose scheme, host and port are those of an address that the environment lists.'),
    host: z.string().min(1).max(255).optional().describe('The Host header, and the name in TLS, where they differ from the address.'),
    method: z.enum(['GET', 'HEAD']).default('GET').describe('How it is asked.'),
    path: z.string().max(2_000).regex(/^(\/|\$\{)/, 'expected a path that begins with /').optional().describe('The path, with its query. `/` if left out; not together with `url`.'),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected the name of a header'), z.string().max(2_000))
      .refine((headers) => Object.keys(headers).every((header) => !refusedHeaders.includes(header.toLowerCase())), `expected none of ${refusedHeaders.join(', ')}`)
      .default({})
      .describe('Headers that are sent. None that bears credentials.'),
    authorization: authorization.optional().describe('How it signs in: `bearer: { secretRef }`, or `basic: { user, password: { secretRef } }`.'),
    status: z.union([statusRule, z.array(statusRule).min(1).max(20)]).default('2xx').describe('The status that is expected: a number, a class such as `2xx`, or a list of those. Redirects are not followed.'),
    body: z
      .union([
        text,
        z.strictObject({
          contains: text.optional().describe('A text that the body must contain.'),
          notContains: text.optional().describe('A text that it must not contain.'),
        }),
      ])
      .optional()
      .describe('What the first MiB of the body must contain: a text, or `contains` and `notContains`.'),
    header: z
      .strictObject({
        name: z.string().min(1).max(200).describe('The header of the answer.'),
        equals: z.string().optional().describe('Its whole value.'),
        contains: text.optional().describe('A part of its value.'),
      })
      .optional()
      .describe('A header that the answer must have; with that value, if one is given.'),
    json: z
      .strictObject({
        path: z.string().refine((path) => path.includes('${') || readJsonPath(path) !== undefined, 'expected a path such as $.a.b[0].c').describe('Where the value is in the body: `$.a.b[0].c`.'),
        equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional().describe('The value that it must be.'),
        min: z.number().optional().describe('The least that it may be.'),
        max: z.number().optional().describe('The most that it may be.'),
        warn: z.number().optional().describe('Beyond this it warns: above it, or, with `min` and without `max`, below it.'),
        unit: z.string().max(20).optional().describe('The unit of the value, for messages.'),
      })
      .optional()
      .describe('A value in a JSON body.'),
    latency: z
      .strictObject({
        warn: duration.optional().describe('Slower than this warns.'),
        max: duration.optional().describe('Slower than this fails.'),
      })
      .optional()
      .describe('How long the whole answer may take, from resolving the name on.'),
    tls: z
      .strictObject({
        minDaysLeft: z.number().min(0).optional().describe('With fewer days left until the certificate ends, it fails.'),
        warnDaysLeft: z.number().min(0).optional().describe('With fewer days left, it warns.'),
        ca: z.string().max(100_000).optional().describe('Certificates of authorities (PEM) to trust in place of the system’s.'),
      })
      .optional()
      .describe('The certificate of an https address. It must hold in any case.'),
  })
  .refine(({ address, url }) => (address === undefined) !== (url === undefined), 'expected either address or url')
  .refine(({ url, path }) => url === undefined || path === undefined, 'expected the path in url, or address and path')
  .describe('Asks an HTTP server, and looks at its answer.')

export type HttpConfig = z.output<typeof schema>
