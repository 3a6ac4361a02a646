import { ByteCache } from '#lib/byte-cache.ts'
import { readYaml } from '#lib/yaml.ts'
import type { YamlDocument } from '#lib/yaml.ts'
import type { TreeEntry, TreeReader } from '#model/tree.ts'

/** A parsed value takes some times the room of its text. */
const bytesPerByte = 8

/** Manifests by the Git id of their file: a base that a thousand overlays share is parsed once. What comes out is shared: never change it. */
export class ParsedBlobs {
  readonly #cache: ByteCache<readonly YamlDocument[]>

  constructor(maxBytes = 256 * 1024 * 1024) {
    this.#cache = new ByteCache(maxBytes)
  }

  /** The documents of a YAML or JSON file, by the rules of YAML 1.1. Failures of `readYaml` and of the reader. */
  async documents(reader: TreeReader, entry: TreeEntry): Promise<readonly YamlDocument[]> {
    const known = this.#cache.get(entry.id)
    if (known !== undefined) {
      // Asked all the same: what a rendering asked is what decides whether it still stands (`read-log.ts`).
      await reader.entry(entry.path)
      return known
    }
    const bytes = await reader.read(entry)
    const documents = readYaml(bytes, { file: `${reader.repository}/${entry.path}`, rules: '1.1' })
    this.#cache.set(entry.id, documents, 1_000 + bytesPerByte * bytes.length)
    return documents
  }
}
