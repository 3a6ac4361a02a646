import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { findProgram, freePort, serverFolder, startGuarded } from './guarded-server.ts'
import type { GuardedServer } from './guarded-server.ts'

/** Why `promtool`, which comes with Prometheus, cannot check anything here; nothing if it can. */
export function promtoolMissing(): string | undefined {
  return findProgram('promtool') === undefined ? 'no promtool on the PATH' : undefined
}

/** What is scraped beside the server itself: `host:port`, with a bearer token. */
export type Scraped = { readonly job: string; readonly target: string; readonly token: string }

/** Why tests on a Prometheus server cannot run here, or nothing if they can. */
export function prometheusMissing(): string | undefined {
  return findProgram('prometheus') === undefined ? 'no prometheus on the PATH' : undefined
}

/**
 * A Prometheus server on the loopback that scrapes itself ten times a second, as the job `self`. What is asked of the job `remote` it wants from a server
 * that is not there, so that it warns. It ends with this process, however that ends.
 */
export async function startPrometheus(scraped: readonly Scraped[] = []): Promise<{ readonly url: string } & Pick<GuardedServer, 'hang' | 'stop'>> {
  const program = findProgram('prometheus')
  if (program === undefined) throw new Error(prometheusMissing())
  const folder = serverFolder('prometheus')
  const port = await freePort()
  const configuration = {
    global: { scrape_interval: '100ms', scrape_timeout: '100ms' },
    scrape_configs: [
      { job_name: 'self', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
      ...scraped.map(({ job, target, token }) => ({ job_name: job, scrape_timeout: '1s', scrape_interval: '1s', authorization: { credentials: token }, static_configs: [{ targets: [target] }] })),
    ],
    remote_read: [{ url: 'http://127.0.0.1:9/read', read_recent: true, required_matchers: { job: 'remote' } }],
  }
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(configuration), { mode: 0o644 })
  const args = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`, '--query.timeout=2s', '--log.level=warn']
  const server = startGuarded(folder, program, args)
  const url = `http://127.0.0.1:${port}`
  await eventually(async () => {
    if (!server.isRunning()) throw new Error('Prometheus did not start')
    const answer = await fetch(`${url}/api/v1/query?query=up`).then((response) => response.text(), () => '')
    return answer.includes('"1"')
  }, 30_000)
  return { url, hang: server.hang, stop: server.stop }
}
