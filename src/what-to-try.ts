import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProcess } from '#lib/process.ts'

export type Place = {
  readonly dir: string
  readonly cwd: string
  /** The example's repository that is changed, bare. */
  readonly storefront: string
  /** Of the control plane. */
  readonly url: string
  /** Where git is looked for. */
  readonly searchPath: string
}

/** What to try, ready to be pasted into another terminal in the same folder: whatever was tried before, it works again. */
export async function whatToTry({ dir, cwd, storefront, url, searchPath }: Place): Promise<string[]> {
  const at = shown(dir, cwd)
  const plumb = shown(fileURLToPath(new URL('../bin/plumb', import.meta.url)), cwd)
  const there = at === '.plumb' ? '' : ` --dir ${at}`
  const clone = shown(freeFolder(dir), cwd)
  const [count, word] = (await allAre(3, storefront, searchPath)) ? [2, 'Two'] : [3, 'Three']
  const change = `sed -i.bak 's/replicas: .*/replicas: ${count}/' deploy/*/deployment.yaml && git -c user.name=Robin -c user.email=robin@shop.example commit -qam '${word} of each' && git push -q`
  return [
    `It stays up until Ctrl-C, and listens on ${url}. In another terminal, here, try:`,
    `  ${plumb} show latest${there}`,
    `  (git clone -q ${shown(storefront, cwd)} ${clone} && cd ${clone} && ${change})`,
    `  ${plumb} status${there}`,
    `  ${plumb} approve latest -e production --reason 'It went well in staging'${there}`,
    `kubectl works too: kubectl --kubeconfig ${shown(join(dir, 'kubeconfig'), cwd)} --context staging get pods -A`,
  ]
}

function freeFolder(dir: string): string {
  for (let number = 1; ; number += 1) {
    const folder = join(dir, number === 1 ? 'try' : `try-${number}`)
    if (!existsSync(folder)) return folder
  }
}

/** Whether the change that is proposed first would change nothing. */
async function allAre(count: number, repository: string, searchPath: string): Promise<boolean> {
  const asked = runProcess({ command: 'git', args: ['--git-dir', repository, 'grep', '-h', 'replicas:', 'main', '--', 'deploy'], env: { PATH: searchPath }, timeoutMs: 10_000, maxOutputBytes: 1 << 20 })
  const lines = await asked.then(({ stdout }) => stdout.toString('utf8').trim().split('\n'), () => [])
  return lines.length > 0 && lines.every((line) => line.trim() === `replicas: ${count}`)
}

/** A path as one would type it; quoted where a shell would take it apart. */
export function shown(path: string, cwd: string): string {
  const near = relative(cwd, path)
  const text = near === '' ? '.' : near.startsWith('../..') ? path : near
  return /^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
