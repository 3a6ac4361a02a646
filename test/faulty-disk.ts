import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'

// Preloaded (NODE_OPTIONS=--import) into a process that writes a store, and so into the thread of its engine: a disk that forgets what was not synced, or does
// not sync any more. FAULTY_DISK is JSON: `disk` is the folder that is watched, `after` where a copy of it is kept as a power loss would leave it: a file is
// there as it was at its last fsync. From fsync number `failFrom` on, each one fails. `order` is a file in which each fsync and each printed line has one.
const { disk, after, order, failFrom = Infinity } = JSON.parse(process.env['FAULTY_DISK'] ?? '{}') as { disk: string; after: string; order: string; failFrom?: number }
const real = { fsyncSync: fs.fsyncSync, copyFileSync: fs.copyFileSync, existsSync: fs.existsSync, readdirSync: fs.readdirSync }
let count = 0

fs.fsyncSync = (descriptor) => {
  const path = fs.readlinkSync(`/proc/self/fd/${descriptor}`)
  if (!path.startsWith(`${disk}/`) || !path.includes('/pg/')) return real.fsyncSync(descriptor)
  count += 1
  if (count >= failFrom) throw Object.assign(new Error(`EIO: i/o error, fsync ${basename(path)}`), { code: 'EIO', errno: -5, syscall: 'fsync' })
  real.fsyncSync(descriptor)
  keep(path)
  if (path.includes('/pg_wal/')) fs.appendFileSync(order, 'synced\n')
}
syncBuiltinESMExports()

const print = console.log
console.log = (line) => {
  fs.appendFileSync(order, `told ${line}\n`)
  print(line)
}

function keep(path: string): void {
  const to = join(after, relative(disk, path))
  if (fs.statSync(path).isDirectory()) {
    // Its names are on the disk now: what is gone from it is gone.
    fs.mkdirSync(to, { recursive: true })
    for (const name of real.readdirSync(to)) if (!real.existsSync(join(path, name))) fs.rmSync(join(to, name), { recursive: true })
    return
  }
  fs.mkdirSync(dirname(to), { recursive: true })
  real.copyFileSync(path, to)
}
