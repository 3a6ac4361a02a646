import { expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { Repositories } from './repositories.ts'

test('a repository that the workspace does not have is named, with those that it has', () => {
  const repositories = new Repositories({
    dir: '/nonexistent', workspace: { url: 'https://git.example/shop/platform.git', branch: 'main' }, git: { home: '/nonexistent', env: {} }, clock: new FakeClock(), resolveSecret: () => Promise.reject(new Error('none is asked for')),
  })
  repositories.nameWorkspace('platform')
  expect(repositories.mirror('platform').url).toBe('https://git.example/shop/platform.git')
  expect(() => repositories.mirror('platfrom')).toThrow(expect.objectContaining({ code: 'repository-unknown', subject: 'repository platfrom', hint: 'Its repositories: platform.' }))
  repositories.close()
})
