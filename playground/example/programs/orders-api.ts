import { readdirSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve } from './serve.ts'

/** The orders service: keeps each order as a file in DATA_DIR (its volume), and tells how it is set up. */
const { APP_VERSION: version = 'unknown', CURRENCY = 'EUR', MAX_ITEMS = '100', DATA_DIR = '/var/lib/orders', PLAYGROUND_ROOT = '' } = process.env
const data = join(PLAYGROUND_ROOT, DATA_DIR)
mkdirSync(data, { recursive: true })
const json = (value: unknown, status = 200): { status: number; type: string; body: string } => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
})

serve('orders-api', (request, url) => {
  if (url.pathname === '/version') return json({ version })
  if (url.pathname === '/api/status') {
    return json({ service: 'orders-api', version, currency: CURRENCY, maxItems: Number(MAX_ITEMS), orders: readdirSync(data).length })
  }
  if (url.pathname !== '/api/orders') return undefined
  if (request.method === 'GET') return json({ orders: readdirSync(data).sort() })
  if (request.method !== 'POST') return json({ error: 'method not allowed' }, 405)
  const id = `order-${Date.now()}-${process.pid}`
  writeFileSync(join(data, id), new Date().toISOString())
  return json({ id, currency: CURRENCY }, 201)
})
