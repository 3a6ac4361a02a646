import type { KubeConfig } from '@kubernetes/client-node'
import { digestOf, type Digest } from '#lib/digest.ts'
import { Failure } from '#lib/failure.ts'
import type { Endpoint } from './transport.ts'

/** Who we are to a server. `reload` reads the kubeconfig again before the next use. */
export type SignIn = {
  readonly server: URL
  /** A digest of the server's address and certificate authority. */
  readonly address: Digest
  headers(): Promise<Readonly<Record<string, string>>>
  endpoint(): Promise<Endpoint>
  reload(): void
}

type Options = {
  headers?: Record<string, unknown>
  ca?: string | Uint8Array
  cert?: string | Uint8Array
  key?: string | Uint8Array
  servername?: string
  rejectUnauthorized?: boolean
  auth?: string
}

/**
 * Reads one context of a kubeconfig, or of several as kubectl merges them: token, client certificate, basic sign-in or an `exec` plugin. The file is the operator's own, which is
 * why a plugin that it names is run; nothing that comes from a repository ever gets here. Failures: `kubeconfig-invalid`,
 * `kubernetes-sign-in-failed`.
 */
export async function signIn(paths: readonly string[], context: string): Promise<SignIn> {
  // Loaded when it is needed: it is large, and is used for nothing else.
  const { KubeConfig } = await import('@kubernetes/client-node')
  const load = (): KubeConfig => loadContext(() => new KubeConfig(), paths, context)
  let config: KubeConfig | undefined = load()
  const cluster = config.getCurrentCluster()
  const options = async (): Promise<Options> => {
    config ??= load()
    const options: Options = { headers: {} }
    try {
      await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0])
    } catch (error) {
      throw signInFailed(context, error)
    }
    return options
  }
  const server = new URL(cluster?.server ?? '')
  return {
    server,
    address: digestOf({ server: server.href, ca: cluster?.caData ?? cluster?.caFile }),
    headers: async () => {
      const { headers = {}, auth } = await options()
      const basic = auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
      return { ...basic, ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])) }
    },
    endpoint: async () => {
      const { ca, cert, key, servername, rejectUnauthorized } = await options()
      return {
        server,
        ...(ca === undefined ? {} : { ca: ca.toString() }),
        ...(cert === undefined ? {} : { cert: cert.toString() }),
        ...(key === undefined ? {} : { key: key.toString() }),
        ...(servername === undefined ? {} : { servername }),
        insecure: rejectUnauthorized === false,
      }
    },
    reload: () => (config = undefined),
  }
}

function loadContext(empty: () => KubeConfig, paths: readonly string[], context: string): KubeConfig {
  const invalid = (message: string, hint?: string, cause?: unknown) =>
    new Failure({ code: 'kubeconfig-invalid', subject: paths.join(', '), message, ...(hint === undefined ? {} : { hint }), retry: 'later', ...(cause === undefined ? {} : { cause }) })
  const config = empty()
  let found = 0
  for (const path of paths) {
    try {
      merge(config, loaded(empty(), path))
      found += 1
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      // Of several, those that there are count, as they do for kubectl.
      if (!isMissing) throw invalid(paths.length === 1 ? 'the kubeconfig cannot be read' : `the kubeconfig ${path} cannot be read`, 'Name a kubeconfig that this process can read.', error)
    }
  }
  if (found === 0) throw invalid('there is no such file', 'Name a kubeconfig that this process can read.')
  const names = config.getContexts().map((one) => one.name)
  if (!names.includes(context)) throw invalid(`it has no context ${JSON.stringify(context)}`, names.length === 0 ? 'It has no contexts at all.' : `It has: ${names.slice(0, 20).join(', ')}.`)
  config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw invalid(`the cluster of context ${JSON.stringify(context)} is not in it`)
  if (cluster.proxyUrl !== undefined) throw invalid(`the cluster of context ${JSON.stringify(context)} is behind a proxy-url, which is not supported`)
  if (!URL.canParse(cluster.server) || !/^https?:$/.test(new URL(cluster.server).protocol)) throw invalid(`the server of context ${JSON.stringify(context)} is no http or https address`)
  // A plain address (`kubectl proxy`) has no certificate to be strict about; the library wants to hear that.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true })
  return config
}

function loaded(config: KubeConfig, path: string): KubeConfig {
  config.loadFromFile(path)
  return config
}

/** As kubectl does: who comes first wins, entry by entry, and nothing of a later entry of the same name counts. */
function merge(into: KubeConfig, later: KubeConfig): void {
  const fresh = <One extends { readonly name: string }>(all: readonly One[], known: readonly One[] | undefined): One[] => all.filter(({ name }) => known?.some((one) => one.name === name) !== true)
  for (const one of fresh(later.getClusters(), into.getClusters())) into.addCluster(one)
  for (const one of fresh(later.getUsers(), into.getUsers())) into.addUser(one)
  for (const one of fresh(later.getContexts(), into.getContexts())) into.addContext(one)
}

function signInFailed(context: string, error: unknown): Failure {
  const said = error instanceof Error ? error.message.split('\n')[0]?.slice(0, 300) : ''
  return new Failure({
    code: 'kubernetes-sign-in-failed',
    subject: `context ${context}`,
    message: `the kubeconfig's credentials cannot be had${said === '' ? '' : `: ${said}`}`,
    hint: 'Run the credential plugin, or read the files, that the kubeconfig names for this user.',
    retry: 'later',
    cause: error,
  })
}
