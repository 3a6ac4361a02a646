import type { Cluster } from './cluster.ts'

/** A kubeconfig (JSON, which YAML readers read too) with one context for each cluster, named like it; it holds their administrators' tokens. */
export function kubeconfigOf(clusters: readonly Cluster[]): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: clusters.map(({ name, api }) => ({ name, cluster: { server: api.url, 'certificate-authority-data': Buffer.from(api.ca).toString('base64') } })),
    users: clusters.map(({ name, api }) => ({ name, user: { token: api.adminToken } })),
    contexts: clusters.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    'current-context': clusters[0]?.name ?? '',
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
