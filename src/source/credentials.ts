import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { Redactor } from '#lib/redact.ts'
import type { GitCall, GitSetup } from './git.ts'
import type { Remote } from './url.ts'

/** The values of `repositories.<name>.credentials`, for one call. */
export type GitCredentials =
  | { readonly kind: 'ssh'; readonly privateKey: string; readonly knownHosts: string }
  | { readonly kind: 'token'; readonly user: string; readonly token: string }

/** Asked for at every call that needs them, so that a value lives no longer than its call. */
export type GetCredentials = (signal: AbortSignal) => Promise<GitCredentials>

type SignedIn = Pick<GitCall, 'config' | 'env' | 'redactor'>

/**
 * Calls `work` with what signs a git call in: a header in the environment for HTTPS, key files of mode 0600 for SSH that are gone when `work` ends.
 * Nothing of it is in the URL or an argument. Failure `git-credentials-unfit` when they do not suit the transport.
 */
export async function withCredentials<T>(
  setup: GitSetup, remote: Remote, subject: string, get: GetCredentials | undefined, signal: AbortSignal, work: (signedIn: SignedIn) => Promise<T>,
): Promise<T> {
  if (get === undefined || remote.transport === 'file') return await work({})
  const credentials = await get(signal)
  const redactor = new Redactor()
  if (credentials.kind === 'token') {
    if (remote.transport === 'ssh') throw unfit(subject, 'a token', 'SSH')
    const basic = Buffer.from(`${credentials.user}:${credentials.token}`).toString('base64')
    redactor.add(credentials.token)
    redactor.add(basic)
    return await work({ config: [[`http.${new URL(remote.url).origin}/.extraHeader`, `Authorization: Basic ${basic}`]], redactor })
  }
  if (remote.transport !== 'ssh') throw unfit(subject, 'an SSH key', 'HTTPS')
  redactor.add(credentials.privateKey)
  const folder = await mkdtemp(join(setup.home, 'ssh-')) // 0700
  try {
    const [key, hosts] = [join(folder, 'key'), join(folder, 'known_hosts')]
    await writeFile(key, `${credentials.privateKey.replaceAll('\r\n', '\n').trimEnd()}\n`, { mode: 0o600 })
    await writeFile(hosts, `${credentials.knownHosts.trimEnd()}\n`, { mode: 0o600 })
    return await work({ env: { GIT_SSH_COMMAND: sshCommand(key, hosts) }, redactor })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The user's own SSH configuration, agent and known hosts are left out: what signs in is what the workspace names. */
function sshCommand(key: string, hosts: string): string {
  const options = [
    'BatchMode=yes', 'ConnectTimeout=20', 'ServerAliveInterval=15', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes', `UserKnownHostsFile="${hosts}"`, 'GlobalKnownHostsFile=/dev/null', 'UpdateHostKeys=no', 'ForwardAgent=no',
    'ClearAllForwardings=yes', 'ControlMaster=no', 'ControlPath=none',
  ]
  return ['ssh', '-F', '/dev/null', '-i', key, ...options.flatMap((option) => ['-o', option])].map(quoted).join(' ')
}

/** git hands GIT_SSH_COMMAND to a shell; every word of it is ours, and quoted all the same. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function unfit(subject: string, what: string, transport: string): Failure {
  return new Failure({
    code: 'git-credentials-unfit',
    subject,
    message: `repository ${subject} has ${what} for its credentials, and a URL that is reached by ${transport}`,
    hint: 'Credentials with ssh go with ssh:// and user@host:path, a token goes with https://.',
  })
}
