import type { Ingress, IngressBackend } from '#playground/controllers/kinds.ts'

export type Route = { readonly namespace: string; readonly backend: IngressBackend }

type Rule = Route & { readonly host: string; readonly path: string; readonly type: 'Exact' | 'Prefix' | 'Default' }

/** All rules of a cluster, the most particular first: exact hosts before wildcards before none, exact paths before the longer prefixes. */
export class Routes {
  readonly #rules: readonly Rule[]

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  static of(list: readonly Ingress[]): Routes {
    // The older Ingress wins where two say the same, as ingress controllers do it.
    const inOrder = [...list].sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || a.metadata.name.localeCompare(b.metadata.name))
    const rules = inOrder.flatMap(rulesOf)
    return new Routes(rules.sort((a, b) => rank(b) - rank(a) || b.path.length - a.path.length))
  }

  /** `host` as the Host header has it, `url` with its query. */
  find(host: string, url: string): Route | undefined {
    const name = host.replace(/:\d+$/, '').toLowerCase()
    const path = url.split('?', 1)[0] ?? '/'
    return this.#rules.find((rule) => matchesHost(rule.host, name) && matchesPath(rule, path))
  }
}

function rulesOf({ metadata: { namespace }, spec }: Ingress): Rule[] {
  const rules = (spec.rules ?? []).flatMap(({ host = '', http }) =>
    (http?.paths ?? []).map(({ path = '/', pathType, backend }): Rule => ({ namespace, backend, host: host.toLowerCase(), path, type: pathType === 'Exact' ? 'Exact' : 'Prefix' })),
  )
  return spec.defaultBackend === undefined ? rules : [...rules, { namespace, backend: spec.defaultBackend, host: '', path: '/', type: 'Default' }]
}

function rank({ host, type }: Rule): number {
  const byHost = host === '' ? 0 : host.startsWith('*.') ? 10 : 20
  return byHost + (type === 'Exact' ? 2 : type === 'Prefix' ? 1 : 0)
}

function matchesHost(wanted: string, host: string): boolean {
  if (wanted === '' || wanted === host) return true
  // A wildcard stands for exactly one label.
  return wanted.startsWith('*.') && host.endsWith(wanted.slice(1)) && !host.slice(0, -wanted.length + 1).includes('.') && host.length > wanted.length - 1
}

/** A prefix ends at a slash: /foo is no prefix of /foobar. */
function matchesPath({ path, type }: Rule, asked: string): boolean {
  if (type === 'Exact') return asked === path
  const prefix = path.endsWith('/') ? path.slice(0, -1) : path
  return asked === prefix || asked.startsWith(`${prefix}/`)
}
