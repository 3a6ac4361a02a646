import type { Command } from 'commander'
import { plumb } from '../src/cli/program.ts'
import type { Surroundings } from '../src/cli/surroundings.ts'
import { offlineCommands } from '../src/offline.ts'
import { playgroundCommand } from '../src/playground-command.ts'
import { playgroundControlCommand } from '../src/playground-control-command.ts'
import { upCommand } from '../src/up-command.ts'
import { versionOption } from '../src/version-option.ts'
import { exits } from './generate-errors-page.ts'

/** What `--json` prints, for every command; the named shapes are those of openapi.json. A command without a row fails the generation. */
export const jsonOf: Readonly<Record<string, string>> = {
  playground: '`Status`, once the first deliveries have ended',
  'playground break': '`{ breakages[{ name, environment, state, does, shows }] }`',
  'playground mend': '`{ breakages[{ name, environment, state, does, shows }] }`',
  'playground reset': '`{ breakages[{ name, environment, state, does, shows }] }`',
  up: '`{ url }`, once it listens',
  validate: '`{ valid, workspace, environments[], modules[{ name, file }], rendered, problems: Failure[] }`',
  render: '`{ environment, modules[{ module, objects[{ file, line, body }] }], problems: Failure[] }`',
  timeline: '`Timeline`',
  'record verify': '`{ ok, chains[{ environment, records, pruned, sealed, defects[{ where, what }] }] }`; of a file, `{ ok, records, bad[{ line, environment, seq, defects[] }] }`',
  'record rotate-key': '`from`, `to` (key ids) and `environments`',
  'record export': '`{ files[] }`',
  adopt: '`Adoption`; with `--patch`: `{ repository, commit, patch, edits: Edit[], renamed[], unproven[] }`',
  yield: '`{ fields: YieldedField[] }`; with an object: `{ repository, branch, commit, pullRequest, edits: Edit[] }`',
  import: '`{ folder, module, files[{ path, content }], left[{ object, why, hint }] }`; with `--repository`: `{ branch, commit, pullRequest, left[] }`',
  status: '`Status`; with `--watch` one document after each change',
  runs: '`{ runs: Run[] }`',
  show: '`Run`',
  plan: '`{ plans: PlanAnswer[] }`, one for each environment',
  deploy: '`Run`, or `{ run: null }` where there is nothing to do',
  verify: '`Run`, or `{ run: null }` where there is nothing to do',
  prune: '`Run`, or `{ run: null }` where nothing is held',
  forget: '`{ run }`; null where nothing is held that is gone',
  approve: '`Run`',
  cancel: '`Run`',
  rollback: '`Run`, or `{ run: null }` where all of it is there already',
  operate: '`Run`',
  operations: '`{ operations: Operation[] }`',
  pin: '`Run`, or `{ run: null }` where it is there already; with `--lift`: `{ done }`',
  pause: '`{ done: true }`',
  resume: '`{ done }`',
  drift: '`{ findings: Finding[], more, waiting, failure, watches: Watch[] }`',
  'drift fields': '`{ objects[{ object, delegated[], emergent[], failure }] }`',
  'drift show': '`{ finding: Finding, history: { at, what, actor, reason }[] }`',
  accept: '`Finding`',
  revert: '`Run`, or `{ run: null }`',
  'token create': '`{ name, token, expiresAt, grants: Grant[], emails[] }`',
  'token list': '`{ principals: Principal[] }`',
  'token revoke': '`{ done }`',
}

const nowhere: Surroundings = { print: () => {}, note: () => {}, colours: false, width: 80, cwd: '/', env: {}, readFile: () => undefined, now: () => 0 }

/** What a command ends with where that says more than that it was carried out. */
const exitOf: Readonly<Record<string, string>> = {
  status: 'It ends with 1 where something failed, 2 where the configuration is wrong, 4 where something or its repository could not be looked at, 3 where what is not delivered waits for a person (what is held at an older snapshot waits for a revert), 0 where all is delivered and verified, and else 4: it is under way, or nobody can say yet. The first that holds.',
}

/** The whole command, as `main.ts` puts it together. */
export function wholeCommand(): Command {
  return plumb(nowhere, () => {}, [versionOption, playgroundCommand({}), playgroundControlCommand, upCommand({}), offlineCommands({})])
}

/** Every command that does something, with its full name. */
export function leaves(command: Command, above: readonly string[] = []): { name: string; command: Command }[] {
  return command.commands.flatMap((child) => {
    const name = [...above, child.name()]
    const own = { name: name.join(' '), command: child }
    // `plumb playground` does something itself, and has commands below it.
    return child.commands.length === 0 ? [own] : [...(Object.hasOwn(jsonOf, own.name) ? [own] : []), ...leaves(child, name)]
  })
}

/** `docs/reference/cli.md`. */
export function cliPage(): string {
  const sections = leaves(wholeCommand()).map(({ name, command }) => {
    const json = jsonOf[name]
    if (json === undefined) throw new Error(`plumb ${name} has no row in jsonOf: what does it print with --json?`)
    const usage = ['plumb', name, ...command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`)), '[options]'].join(' ')
    const args = command.registeredArguments.filter((one) => one.description !== '').map((one) => `| \`${one.name()}\` | ${cell(one.description)} | ${shownDefault(one.defaultValue)} |`)
    const options = command.options.map((one) => `| \`${one.flags}\` | ${cell(one.description)}${one.mandatory ? ' (required)' : ''} | ${one.negate ? '' : shownDefault(one.defaultValueDescription ?? one.defaultValue)} |`)
    return `## plumb ${name}\n\n${sentence(command.description())}\n\n    ${usage}\n\n| Option | Meaning | Default |\n| --- | --- | --- |\n${[...args, ...options].join('\n')}\n\n\`--json\` prints ${json}.\n${exitOf[name] === undefined ? '' : `\n${exitOf[name]}\n`}`
  })
  return `# The command

Generated from the program (\`npm run docs\`): do not edit.

\`plumb\` finds the control plane in the folder \`.plumb\`, or in the one that \`--dir\` or \`PLUMB_DIR\` names; or at \`--server\` or \`PLUMB_SERVER\`, with the token of
\`--token-file\` or \`PLUMB_TOKEN\`. The answer is on standard output, progress on standard error; \`NO_COLOR\` turns colours off, and \`plumb --version\` tells which one this is. Shapes named with a capital letter are those
of [openapi.json](openapi.json). With \`--json\`, a failure is \`{ "error": Failure }\` on standard output.

| Exit code | Meaning |
| --- | --- |
${Object.entries(exits).map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}

${sections.join('\n')}`
}

function shownDefault(value: unknown): string {
  return value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}
