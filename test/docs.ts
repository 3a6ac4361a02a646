// Writes what is generated from the code; with --check, fails where it differs from what is there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generated } from './generated.ts'
import { root } from './rooms.ts'

const check = process.argv.includes('--check')
const stale = Object.entries(generated()).filter(([file, text]) => !existsSync(join(root, file)) || readFileSync(join(root, file), 'utf8') !== text)
if (check && stale.length > 0) {
  console.error(`not up to date: ${stale.map(([file]) => file).join(', ')}\n  Run "npm run docs" and commit what it writes.`)
  process.exit(1)
}
for (const [file, text] of stale) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
  console.log(`wrote ${file}`)
}
