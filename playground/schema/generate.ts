/** Writes `definitions.json`. Run by hand after an update of the client or of `merge-rules.ts`: `node playground/schema/generate.ts`. */
import { writeFileSync } from 'node:fs'
import { definitionsText } from './definitions-text.ts'

writeFileSync(new URL('definitions.json', import.meta.url), definitionsText())
