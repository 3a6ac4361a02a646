/** One commit of an example repository. */
export type Commit = {
  /** `Name <e-mail>` */
  readonly author: string
  /** RFC 3339, UTC: the same history, and so the same commit ids, on every machine (placeholders apart). */
  readonly date: string
  readonly message: string
  /** The files that it adds, or writes anew, by the start of their paths; '' is every file. */
  readonly files: readonly string[]
  /** How their text was then: from what stands in the folder to what stood in this commit. */
  readonly earlier?: readonly (readonly [now: string, then: string])[]
}

const noor = 'Noor Haddad <noor@platform.example>'
const ivo = 'Ivo Petrov <ivo@platform.example>'
const ada = 'Ada Park <ada@orders.example>'
const jun = 'Jun Mori <jun@orders.example>'
const lea = 'Lea Brandt <lea@storefront.example>'
const sam = 'Sam Okafor <sam@storefront.example>'

/** Production's targets before it had a database. */
const withoutDatabase = [
  ['[ingress, dns, cluster, orders-db, orders-db-replica]', '[ingress, dns, cluster]'],
  [
    `
    # Connection URLs, with the passwords of roles that may only read, in files that the control plane may read.
    orders-db:
      postgres:
        url:
          secretRef: "file:\${playground.credentials}/orders-db"
    orders-db-replica:
      postgres:
        url:
          secretRef: "file:\${playground.credentials}/orders-db-replica"
    # Of a role that may promote it, and nothing else: no probe of a module reaches it.
    orders-db-failover:
      postgres:
        url:
          secretRef: "file:\${playground.credentials}/orders-db-failover"`,
    '',
  ],
] as const

/** How each repository came to be what it is; the last commit of each has every file as it stands in `repositories/`. */
export const histories: Readonly<Record<string, readonly Commit[]>> = {
  platform: [
    { author: noor, date: '2026-09-01T08:30:00Z', message: 'A workspace with a sandbox', files: ['README.md', 'plumbline.yaml', 'environments/sandbox.yaml'] },
    { author: noor, date: '2026-09-01T09:10:00Z', message: 'Namespaces for orders and storefront', files: ['baseline/module.yaml', 'baseline/sandbox/namespaces.yaml'] },
    { author: ivo, date: '2026-09-08T13:05:00Z', message: 'Staging and production, one after the other', files: ['environments/', 'baseline/staging/namespaces.yaml', 'baseline/production/namespaces.yaml'], earlier: withoutDatabase },
    { author: ivo, date: '2026-10-02T10:20:00Z', message: 'Teams may work in their namespaces\n\nTicket: PLAT-41', files: ['baseline/sandbox/access.yaml', 'baseline/staging/access.yaml', 'baseline/production/access.yaml'] },
    { author: noor, date: '2026-10-12T15:45:00Z', message: 'Deny what comes in by default\n\nReason: audit finding 7\nTicket: PLAT-52', files: ['baseline/'] },
    { author: noor, date: '2026-10-15T12:30:00Z', message: 'Does the shop live through the loss of its pods? A drill\n\nTicket: PLAT-55', files: ['operations/rehearse-restart.yaml'] },
    { author: ivo, date: '2026-10-22T09:15:00Z', message: 'Production has a database of orders\n\nTicket: PLAT-58', files: [''] },
  ],
  orders: [
    { author: ada, date: '2026-09-02T07:50:00Z', message: 'orders-api 1.4.0 in the sandbox', files: ['README.md', 'deploy/module.yaml', 'deploy/sandbox/'], earlier: [[':1.4.1', ':1.4.0']] },
    { author: jun, date: '2026-09-09T11:15:00Z', message: 'orders-api in staging and production', files: ['deploy/staging/', 'deploy/production/'], earlier: [[':1.4.1', ':1.4.0'], ['storage: 10Gi', 'storage: 5Gi']] },
    { author: ada, date: '2026-10-05T08:25:00Z', message: 'More room for orders in production\n\nTicket: ORD-118', files: ['deploy/production/volume.yaml'] },
    { author: jun, date: '2026-10-26T13:30:00Z', message: 'The database of orders, and how one knows that it works\n\nTicket: ORD-125', files: ['database/'] },
    { author: ada, date: '2026-11-03T09:40:00Z', message: 'orders-api 1.4.1\n\nReason: rounds totals as the ledger does\nTicket: ORD-131', files: [''] },
  ],
  storefront: [
    { author: lea, date: '2026-09-03T12:00:00Z', message: 'storefront-web 2.3.0 in the sandbox', files: ['README.md', 'deploy/module.yaml', 'deploy/sandbox/'], earlier: [[':2.3.1', ':2.3.0']] },
    { author: sam, date: '2026-09-10T14:35:00Z', message: 'storefront-web in staging and production', files: ['deploy/'], earlier: [[':2.3.1', ':2.3.0'], ['Good things, well made.', 'Coming soon.']] },
    { author: lea, date: '2026-10-20T06:55:00Z', message: 'The shop is open\n\nTicket: WEB-77', files: ['deploy/'], earlier: [[':2.3.1', ':2.3.0']] },
    { author: sam, date: '2026-11-10T16:05:00Z', message: 'storefront-web 2.3.1', files: [''] },
  ],
}
