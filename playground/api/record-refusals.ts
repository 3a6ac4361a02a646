import { writeFileSync } from 'node:fs'
import { mistakes, refusalOf } from './testing-mistakes.ts'
import { realCluster } from './testing-real-cluster.ts'

// node playground/api/record-refusals.ts KUBECONFIG: what that cluster says to objects with a mistake, for `refusals.test.ts`.
const { ask, end } = await realCluster(process.argv[2] ?? '')
const lines: string[] = []
for (const [name, object] of Object.entries(mistakes)) lines.push(`${JSON.stringify(name)}: ${JSON.stringify(await refusalOf(ask, object))}`)
writeFileSync(new URL('recorded-refusals.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`)
end()
