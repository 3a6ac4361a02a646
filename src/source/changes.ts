/** A module, by what its last rendering read of its repository: files and folders, also those that it looked for and did not find. `''` is everything. */
export type ModuleReads = { readonly name: string; readonly repository: string; readonly paths: readonly string[] }

/**
 * The modules that a change touches, in the order given. A path that was read is touched by a change of itself, of anything below it (it is a folder),
 * and of anything above it (a folder that became a file or a link).
 */
export function touchedModules(changed: Readonly<Record<string, readonly string[]>>, modules: readonly ModuleReads[]): string[] {
  const byRepository = new Map(Object.entries(changed).map(([repository, paths]) => [repository, { exact: new Set(paths), above: new Set(paths.flatMap(foldersOf)) }]))
  return modules
    .filter(({ repository, paths }) => {
      const change = byRepository.get(repository)
      if (change === undefined || change.exact.size === 0) return false
      return paths.some((written) => {
        const path = written.replaceAll(/^(\.?\/)+|\/+$/g, '')
        return path === '' || path === '.' || change.exact.has(path) || change.above.has(path) || foldersOf(path).some((folder) => change.exact.has(folder))
      })
    })
    .map(({ name }) => name)
}

/** The folders that a path is in, but the root. */
function foldersOf(path: string): string[] {
  const folders: string[] = []
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at))
  return folders
}
