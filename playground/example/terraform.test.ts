import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(import.meta.resolve('#playground/example/repositories/platform/terraform'))
const program = 'terraform'
const hasTerraform = spawnSync(program, ['version']).status === 0

test.skipIf(!hasTerraform)('the Terraform folder plans, applies, and is then as it should be, with no download (skipped where terraform is not installed)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-terraform-'))
  try {
    cpSync(folder, dir, { recursive: true })
    const env = { PATH: process.env['PATH'] ?? '', HOME: dir, TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' }
    const terraform = (...args: string[]) => spawnSync(program, args, { cwd: dir, env, encoding: 'utf8' })
    expect(terraform('init', '-input=false').status).toBe(0)
    expect(terraform('plan', '-input=false', '-var', 'environment=staging', '-detailed-exitcode').status).toBe(2)
    expect(terraform('apply', '-input=false', '-auto-approve', '-var', 'environment=staging').status).toBe(0)
    expect(terraform('output', '-raw', 'orders_backup_bucket').stdout).toBe('shop-staging-orders-backups')
    expect(terraform('plan', '-input=false', '-var', 'environment=staging', '-detailed-exitcode').status).toBe(0)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
