import { runProcess } from '#lib/process.ts'

/** Runs a program to its end and gives what it wrote; throws its complaint where it ends with anything but 0. */
export async function execute(command: string, args: readonly string[], options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {}): Promise<{ stdout: string; stderr: string }> {
  const { cwd, env = {} } = options
  const exit = await runProcess({ command, args, ...(cwd === undefined ? {} : { cwd }), env: { PATH: process.env['PATH'] ?? '', ...env }, timeoutMs: 60_000, maxOutputBytes: 64 * 1024 * 1024 })
  if (exit.code === 0) return { stdout: exit.stdout.toString(), stderr: exit.stderr }
  throw Object.assign(new Error(`${command} ${args.join(' ')} ended with ${exit.code}: ${exit.stderr}`), exit, { stdout: exit.stdout.toString() })
}
