import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { leaves, wholeCommand } from './generate-cli-page.ts'
import { root } from './rooms.ts'

const names = leaves(wholeCommand()).map(({ name }) => name)
const isName = (text: string): boolean => names.some((name) => name === text || name.startsWith(`${text} `))

/** Every command in a page's blocks, as far as a shell reads it, and every `plumb …` in its text. */
function commandLines(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = text.split('\n').filter((line) => line.startsWith('    ')).join('\n')
  return [...blocks.matchAll(/(?:^ {4}|bin\/)plumb ([^\n#;|)]+)/gm), ...text.matchAll(/`plumb ([^`]+)`/g)].map((match) => (match[1] ?? '').trim())
}

/** As a shell splits them. What is written to a file is no argument. */
function words(line: string): string[] {
  return [...line.replace(/>\s*\S+/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

/** What the real definitions, with nothing behind them, have against a command line. */
async function refusal(line: string): Promise<string | undefined> {
  const named = line.split(', ')
  if (named.every(isName)) return undefined // It tells of commands, and asks for none.
  if (named.length > 1) return `no command: ${named.filter((name) => !isName(name)).join(', ')}`
  const program = wholeCommand()
  for (const { command } of leaves(program)) command.action(() => {}).configureOutput({ writeErr: () => {}, writeOut: () => {} })
  return program.parseAsync(words(line), { from: 'user' }).then(() => undefined, (error: unknown) => `${line}: ${String(error)}`)
}

test.each([['README.md', 20], ['playground/README.md', 2], ['playground/control/README.md', 4]])('what %s says to type is what plumb takes', async (page, atLeast) => {
  const lines = commandLines(page)
  expect(lines.length).toBeGreaterThanOrEqual(atLeast)
  expect((await Promise.all(lines.map(refusal))).filter((one) => one !== undefined)).toEqual([])
})

test('a line that plumb would refuse is found', async () => {
  expect(await refusal("revert f-… --reason '…' --tickt OPS-1")).toContain("unknown option '--tickt'")
  expect(await refusal('status, stauts')).toBe('no command: stauts')
  expect(await refusal('approve latest -e production')).toContain("required option '--reason <text>' not specified")
})

test('README.md names every command', () => {
  const told = new Set(commandLines('README.md').flatMap((line) => line.split(', ').map((one) => words(one)[0])))
  expect([...new Set(names.map((name) => name.split(' ')[0]))].filter((name) => !told.has(name))).toEqual([])
})

test('npm has no script of a package left to ask about, on any machine', () => {
  const json = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'))
  const { packages } = json('package-lock.json') as { packages: Record<string, { hasInstallScript?: boolean }> }
  const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript === true).map((path) => path.replace(/^.*node_modules\//, ''))
  expect(Object.keys((json('package.json') as { allowScripts: object }).allowScripts).sort()).toEqual(scripted.sort())
})
