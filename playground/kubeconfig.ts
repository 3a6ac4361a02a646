import type { Cluster } from './cluster.ts'

/** Somebody who has an account in every cluster: by a client certificate of his name, with the groups that roles are bound to. */
export type Person = { readonly login: string; readonly name: string; readonly groups: readonly string[] }

/**
 * A kubeconfig (JSON, which YAML readers read too) with one context for each cluster, named like it, of its administrator; and a user `<login>@<cluster>` for
 * each person: `kubectl --context staging --user ada@staging`.
 */
export function kubeconfigOf(clusters: readonly Cluster[], people: readonly Person[] = []): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const persons = clusters.flatMap(({ name: cluster, api }) =>
    people.map(({ login, name, groups }) => {
      const { certificate, key } = api.clientCertificate({ name, groups })
      return { name: `${login}@${cluster}`, user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }
    }),
  )
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: clusters.map(({ name, api }) => ({ name, cluster: { server: api.url, 'certificate-authority-data': base64(api.ca) } })),
    users: [...clusters.map(({ name, api }) => ({ name, user: { token: api.adminToken } })), ...persons],
    contexts: clusters.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    'current-context': clusters[0]?.name ?? '',
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
