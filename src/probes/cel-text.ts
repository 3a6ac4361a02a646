import { z } from 'zod'
import { checkCel } from '#lib/cel.ts'

/** Variables stand for some name while nothing is known of them. */
const variable = /\$?\$\{[^}]*\}/g

/** A CEL expression in a probe's configuration: what is wrong with it is told where it is written. */
export const celText = z
  .string()
  .min(1)
  .max(10_000)
  .superRefine((expression, context) => {
    const wrong = checkCel(expression.replaceAll(variable, 'x'))
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong.message })
  })
