// What a run of the tests came to, from vitest's JSON.
//   node results.mjs --failed FIRST    the files that failed, a line each
//   node results.mjs FIRST [AGAIN]     what is skipped, unsteady and failed, then `N passed, N failed`; exits with 1 where something failed.
// AGAIN is of the failed files run once more, on a machine that is quiet by then: it stands in for what they said at first, which is still told.
import { existsSync, readFileSync } from 'node:fs'

const args = process.argv.slice(2)
if (args[0] === '--failed') {
  for (const file of read(args[1])) if (file.status === 'failed') console.log(file.name)
} else report(read(args[0]), args[1] !== undefined && existsSync(args[1]) ? read(args[1]) : [])

function report(first, again) {
  const second = new Map(again.map((file) => [file.name, file]))
  const files = first.map((file) => second.get(file.name) ?? file)
  tellSkipped(tests(files).filter(({ status }) => !['passed', 'failed'].includes(status)))
  for (const failure of failures(first.filter(({ name }) => second.has(name)))) console.log(`\nunsteady: failed among the others, and was run again:\n${failure}`)
  const failed = failures(files)
  for (const failure of failed) console.log(`\nfailed: ${failure}`)
  console.log(`\n${tests(files).filter(({ status }) => status === 'passed').length} passed, ${failed.length} failed`)
  process.exitCode = failed.length > 0 ? 1 : 0
}

/** A reason is in a test's name, or its group's: many of one group are one line. */
function tellSkipped(skipped) {
  const groups = Map.groupBy(skipped, ({ ancestorTitles }) => ancestorTitles.join(' '))
  for (const [group, of] of groups) {
    if (of.length > 3) console.log(`skipped: ${of.length} of: ${group}`)
    else for (const { fullName } of of) console.log(`skipped: ${fullName}`)
  }
}

/** A file that failed as a whole (it cannot be read, its set-up threw) has no failed test: it counts as one. */
function failures(files) {
  return files.flatMap((file) => {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed').map(({ fullName, failureMessages }) => `${file.name}: ${fullName}\n${brief(failureMessages.join('\n'))}`)
    return failed.length === 0 && file.status === 'failed' ? [`${file.name}\n${brief(file.message)}`] : failed
  })
}

function brief(message) {
  return message.split('\n').filter((line) => !line.includes('node_modules')).join('\n').slice(0, 3000)
}

function tests(files) {
  return files.flatMap(({ assertionResults }) => assertionResults)
}

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8')).testResults
}
