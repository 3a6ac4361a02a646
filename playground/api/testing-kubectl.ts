import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess } from '#lib/process.ts'
import type { ApiServer } from './api-server.ts'

type Ran = { readonly out: string; readonly err: string; readonly code: number }

/** The words of a command are split at spaces; one with spaces is given apart, as a list. */
export type Kubectl = (command: string | readonly string[], stdin?: unknown, env?: Readonly<Record<string, string>>) => Promise<Ran>

/** For tests: the real kubectl, with a home and a kubeconfig of its own, as the administrator. What is piped in is JSON, unless it is text. */
export function kubectlFor(server: ApiServer): { readonly kubectl: Kubectl; readonly home: string; readonly end: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'kubectl-'))
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') } }],
    users: [{ name: 'test', user: { token: server.adminToken } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  writeFileSync(join(home, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 })
  const kubectl: Kubectl = async (command, stdin, env = {}) => {
    const { stdout, stderr, code } = await runProcess({
      command: 'kubectl',
      args: typeof command === 'string' ? command.split(' ') : command,
      env: { PATH: process.env.PATH ?? '', HOME: home, KUBECONFIG: join(home, 'kubeconfig'), ...env },
      timeoutMs: 20_000,
      maxOutputBytes: 1 << 20,
      ...(stdin === undefined ? {} : { stdin: typeof stdin === 'string' ? stdin : JSON.stringify(stdin) }),
    })
    return { out: stdout.toString('utf8'), err: stderr, code }
  }
  return { kubectl, home, end: () => rmSync(home, { recursive: true, force: true }) }
}
