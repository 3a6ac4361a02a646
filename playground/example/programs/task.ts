/** Work that ends, for Jobs: waits TASK_MS, says so, exits with EXIT_CODE. */
process.stdin.on('end', () => process.exit(130)).resume()
const { TASK_MS = '50', EXIT_CODE = '0', FAIL, MESSAGE = 'done' } = process.env
setTimeout(() => {
  process.stdout.write(`${MESSAGE}\n`)
  process.exit(FAIL === 'crash' ? 1 : Number(EXIT_CODE))
}, Number(TASK_MS))
