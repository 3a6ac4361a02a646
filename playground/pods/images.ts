import { fileURLToPath } from 'node:url'

/** What stands behind an image that can be "pulled": a program of ours, and what its tag sets in its environment. */
export type Image = { readonly program: string; readonly env: Readonly<Record<string, string>> }

type Repository = { readonly program: string; readonly tags: Readonly<Record<string, Readonly<Record<string, string>>>> }

const program = (name: string): string => fileURLToPath(import.meta.resolve(`#playground/example/programs/${name}.ts`))

const registry = 'registry.shop.example'

/** The known images. A tag that is not listed cannot be pulled, as in a registry. */
const repositories: Readonly<Record<string, Repository>> = {
  [`${registry}/orders/orders-api`]: {
    program: program('orders-api'),
    tags: { '1.4.0': { APP_VERSION: '1.4.0' }, '1.4.1': { APP_VERSION: '1.4.1' }, '1.5.0': { APP_VERSION: '1.5.0' }, broken: { FAIL: 'crash' } },
  },
  [`${registry}/storefront/storefront-web`]: {
    program: program('storefront-web'),
    tags: { '2.3.0': { APP_VERSION: '2.3.0' }, '2.3.1': { APP_VERSION: '2.3.1' }, '2.4.0': { APP_VERSION: '2.4.0' }, broken: { FAIL: 'crash' } },
  },
  [`${registry}/tools/task`]: {
    program: program('task'),
    tags: { '1.0.0': { APP_VERSION: '1.0.0' }, broken: { FAIL: 'crash' } },
  },
  [`${registry}/tools/echo`]: {
    program: program('echo'),
    tags: { '1.0.0': { APP_VERSION: '1.0.0' }, '1.1.0': { APP_VERSION: '1.1.0' }, broken: { FAIL: 'crash' } },
  },
}

/** `undefined` for what no registry of the playground has. A missing tag means `latest`, which is not there either. */
export function findImage(reference: string): Image | undefined {
  const slash = reference.lastIndexOf('/')
  const colon = reference.indexOf(':', slash)
  const name = colon < 0 ? reference : reference.slice(0, colon)
  const tag = colon < 0 ? 'latest' : reference.slice(colon + 1)
  const repository = Object.hasOwn(repositories, name) ? repositories[name] : undefined
  const env = repository !== undefined && Object.hasOwn(repository.tags, tag) ? repository.tags[tag] : undefined
  return repository === undefined || env === undefined ? undefined : { program: repository.program, env }
}
