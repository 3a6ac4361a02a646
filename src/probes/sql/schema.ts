import { z } from 'zod'
import { duration, name } from '#model/config/parts.ts'
import { celText } from '../cel-text.ts'

/** A name as both databases take it in quotes, without any. */
const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_$]{0,62}$/, 'expected letters, digits and underscores')
const table = z.string().regex(/^([A-Za-z_][A-Za-z0-9_$]{0,62}\.)?[A-Za-z_][A-Za-z0-9_$]{0,62}$/, 'expected a table, or schema.table')

const writes = z.union([
  z.literal(true),
  z.strictObject({
    table: table.describe('A table, `table` or `schema.table`, of which one row is written.'),
    column: identifier.describe('A column of it, which is set to what it is.'),
  }),
])

const lag = z
  .strictObject({
    primary: name.optional().describe('The environment’s database that it is a replica of: it is asked how far it has written, and since when. Without it, only what the replica has heard of counts, and one that is too far behind is `unknown`, of PostgreSQL.'),
    max: duration.optional().describe('Further behind than this fails.'),
    warn: duration.optional().describe('Further behind than this warns.'),
    maxBytes: z.int().min(0).optional().describe('More bytes of log behind than this fails. Of MySQL they are known only with `primary`.'),
    warnBytes: z.int().min(0).optional().describe('More bytes behind than this warns.'),
  })
  .refine(({ max, warn, maxBytes, warnBytes }) => [max, warn, maxBytes, warnBytes].some((rule) => rule !== undefined), 'expected max, warn, maxBytes or warnBytes')

export const schema = z
  .strictObject({
    target: name.describe('The environment’s database: `postgres` or `mysql` (MariaDB too).'),
    query: z
      .string()
      .min(1)
      .max(20_000)
      .optional()
      .describe('One `select` (or `values`, `table`, `with … select`). The first column of its one row is the value, or, with `rows`, its rows are looked at. Without a query it is only connected.'),
    equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional().describe('The value that it must be.'),
    min: z.number().optional().describe('The least that it may be.'),
    max: z.number().optional().describe('The most that it may be.'),
    warn: z.number().optional().describe('Beyond this it warns: above it, or, with `min` and without `max`, below it.'),
    unit: z.string().max(20).optional().describe('The unit of the value, for messages: `s`, `rows`.'),
    rows: z
      .strictObject({
        cel: celText.describe('A CEL expression that must be true, over `rows`: a list of mappings, by the names of the columns.'),
        most: z.int().min(1).max(1_000).default(100).describe('How many rows are read. Where there are more, it is unknown.'),
      })
      .optional()
      .describe('What all the rows must be like, in place of one value.'),
    writes: writes.optional().describe('`true`, or a table and a column: whether it takes writes, as a primary does. What is written is rolled back.'),
    lag: lag.optional().describe('How far a replica may be behind its primary.'),
  })
  .refine((config) => [config.query, config.writes, config.lag].filter((one) => one !== undefined).length <= 1, 'expected one of query, writes and lag')
  .refine((config) => config.query !== undefined || ![config.equals, config.min, config.max, config.warn, config.rows].some((rule) => rule !== undefined), 'expected a query beside equals, min, max, warn or rows')
  .refine((config) => config.rows === undefined || ![config.equals, config.min, config.max, config.warn].some((rule) => rule !== undefined), 'expected either rows, or equals, min, max and warn')
  .describe('Asks a PostgreSQL, MySQL or MariaDB database: whether it connects, what a query gives, whether it takes writes, how far a replica is behind.')

export type SqlConfig = z.output<typeof schema>
export type LagRules = z.output<typeof lag>
