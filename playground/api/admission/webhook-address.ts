import { isObject, type JsonObject } from '#lib/json.ts'
import type { Storage } from '../storage.ts'

/** Where a webhook really is: `host` and `port` are dialled, `name` is whom its certificate must be for, `url` is what errors call it. */
export type Address = { readonly host: string; readonly port: number; readonly name: string; readonly path: string; readonly url: string }

/** Where a cluster's address is really reached, on machines where addresses are names alone. */
export type Reach = (ip: string, port: number) => Promise<{ readonly host: string; readonly port: number }>

const loopback = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/

/** Reads a `clientConfig`. Throws an `Error` where it leads anywhere but to this machine's loopback. */
export async function addressOf(client: JsonObject, storage: Storage, reach: Reach): Promise<Address> {
  if (isObject(client.service)) return ofService(client.service, storage, reach)
  const url = new URL(String(client.url))
  if (url.protocol !== 'https:') throw new Error(`${url.protocol}//: a webhook is called over https alone`)
  if (url.username !== '' || url.password !== '') throw new Error('a webhook’s address holds no credentials')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!loopback.test(host)) throw new Error(`dial tcp: ${url.host}: this playground calls webhooks on loopback addresses alone`)
  return { host: host === 'localhost' ? '127.0.0.1' : host, port: Number(url.port || 443), name: host, path: `${url.pathname}${url.search}`, url: `https://${url.host}${url.pathname}${url.search}` }
}

async function ofService(service: JsonObject, storage: Storage, reach: Reach): Promise<Address> {
  const [namespace, name] = [String(service.namespace), String(service.name)]
  const port = typeof service.port === 'number' ? service.port : 443
  const path = typeof service.path === 'string' && service.path !== '' ? (service.path.startsWith('/') ? service.path : `/${service.path}`) : '/'
  const serverName = `${name}.${namespace}.svc`
  const found = storage.get('/services', `${namespace}/${name}`)
  if (found === undefined) throw new Error(`service ${JSON.stringify(name)} not found`)
  const spec = isObject(found.spec) ? found.spec : {}
  const url = `https://${serverName}:${port}${path}`
  if (spec.type === 'ExternalName') {
    const to = String(spec.externalName)
    if (!loopback.test(to)) throw new Error(`Post "${url}": dial tcp: ${to}: this playground calls webhooks on loopback addresses alone`)
    return { host: to === 'localhost' ? '127.0.0.1' : to, port, name: serverName, path, url }
  }
  const ports = Array.isArray(spec.ports) ? spec.ports.filter(isObject) : []
  if (!ports.some((each) => each.port === port)) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  const reached = await reach(String(spec.clusterIP), port)
  if (!loopback.test(reached.host)) throw new Error(`Post "${url}": dial tcp ${reached.host}:${reached.port}: this playground calls webhooks on loopback addresses alone`)
  return { ...reached, name: serverName, path, url }
}
