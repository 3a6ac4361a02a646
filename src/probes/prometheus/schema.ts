import { z } from 'zod'
import { duration, name } from '#model/config/parts.ts'
import { authorization } from '../authorization.ts'

export const schema = z
  .strictObject({
    address: name.describe('The environment’s address of Prometheus, or of what answers as it does (Thanos, Mimir, VictoriaMetrics): a URL, with a path if it is behind one, or `host:port`.'),
    query: z.string().min(1).max(10_000).describe('PromQL.'),
    range: z
      .strictObject({
        over: duration.describe('How far back from now.'),
        step: duration.optional().describe('How far apart; a sixtieth of `over`, if left out.'),
        take: z.enum(['max', 'min', 'avg', 'last']).default('max').describe('What is made of a series: its greatest, least, mean or last value.'),
      })
      .refine(({ over, step }) => step === undefined || (step > 0 && over / step <= 11_000), { path: ['step'], error: 'expected no more than 11000 steps in `over`' })
      .optional()
      .describe('A range query; without it the query is asked for now.'),
    min: z.number().optional().describe('The least that the value may be, of every series.'),
    max: z.number().optional().describe('The most that it may be, of every series.'),
    warn: z.number().optional().describe('Beyond this it warns: above it, or, with `min` and without `max`, below it.'),
    unit: z.string().max(20).optional().describe('The unit of the value, for messages: `s`, `requests/s`.'),
    empty: z.enum(['unknown', 'passed', 'failed']).default('unknown').describe('What it means that the query gives nothing: an alert’s condition passes, a metric that must be there fails.'),
    authorization: authorization.optional().describe('How it signs in: `bearer: { secretRef }`, or `basic: { user, password: { secretRef } }`.'),
    ca: z.string().max(100_000).optional().describe('Certificates of authorities (PEM) to trust in place of the system’s.'),
  })
  .describe('Asks Prometheus, and holds the value of every series against a rule.')

export type PrometheusConfig = z.output<typeof schema>
