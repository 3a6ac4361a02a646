import { z } from 'zod'
import { name } from '#model/config/parts.ts'

export const schema = z
  .strictObject({
    target: name.describe('The environment’s database.'),
    query: z
      .string()
      .min(1)
      .max(20_000)
      .optional()
      .describe('One `select` (or `values`, `table`, `with … select`). The first column of its one row is the value. Without a query it is only connected.'),
    equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional().describe('The value that it must be.'),
    min: z.number().optional().describe('The least that it may be.'),
    max: z.number().optional().describe('The most that it may be.'),
    warn: z.number().optional().describe('Beyond this it warns: above it, or, with `min` and without `max`, below it.'),
    unit: z.string().max(20).optional().describe('The unit of the value, for messages: `s`, `rows`.'),
  })
  .refine((config) => config.query !== undefined || [config.equals, config.min, config.max, config.warn].every((rule) => rule === undefined), 'expected a query beside equals, min, max or warn')
  .describe('Connects to a PostgreSQL database, and holds one value that a query gives against a rule.')

export type SqlConfig = z.output<typeof schema>
