import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { eventually } from './eventually.ts'

export type Sshd = {
  /** `ssh://user@127.0.0.1:port`, without a path. */
  readonly origin: string
  /** The private key that is let in. */
  readonly key: string
  /** The line of known_hosts that is right. */
  readonly knownHosts: string
  /** A key, with its public half, that nobody knows. */
  stranger(): { readonly key: string; readonly publicKey: string }
  stop(): Promise<void>
}

const program = ['/usr/sbin', ...(process.env['PATH'] ?? '').split(delimiter)].map((folder) => join(folder, 'sshd')).find((path) => existsSync(path))

/** Why there can be no SSH server here, or nothing if there can. */
export function sshdMissing(): string | undefined {
  return program === undefined ? 'no sshd on this system' : undefined
}

/** A real OpenSSH server on the loopback, run by this user, who alone may sign in, with a key. */
export async function startSshd(): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-sshd-'))
  const pair = (name: string): { key: string; publicKey: string } => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)])
    return { key: readFileSync(join(folder, name), 'utf8'), publicKey: readFileSync(join(folder, `${name}.pub`), 'utf8').trim() }
  }
  const [host, user] = [pair('host'), pair('user')]
  writeFileSync(join(folder, 'authorized_keys'), `${user.publicKey}\n`, { mode: 0o600 })
  // As root it gives its privileges away in this folder, which the system makes at its start.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const port = await freePort()
  const settings = {
    ListenAddress: '127.0.0.1', Port: port, HostKey: join(folder, 'host'), AuthorizedKeysFile: join(folder, 'authorized_keys'), PidFile: 'none',
    PasswordAuthentication: 'no', KbdInteractiveAuthentication: 'no', UsePAM: 'no', StrictModes: 'no', PrintMotd: 'no', LogLevel: 'ERROR',
  }
  writeFileSync(join(folder, 'config'), Object.entries(settings).map(([name, value]) => `${name} ${value}\n`).join(''))
  const child = spawn(program ?? 'sshd', ['-D', '-e', '-f', join(folder, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}: ${said}`)
    return answers(port)
  })
  let strangers = 0
  return {
    origin: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    key: user.key,
    knownHosts: `[127.0.0.1]:${port} ${host.publicKey.split(' ').slice(0, 2).join(' ')}`,
    stranger: () => pair(`stranger-${(strangers += 1)}`),
    stop: async () => {
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString().startsWith('SSH-2.0'))
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}
