/** One step of the store's shape. Once it has been released it never changes: a mistake is mended by a later one. */
export type Migration = {
  /** 1 and up, without gaps. */
  readonly version: number
  readonly name: string
  /** One or more statements. All of them, or none, take effect. */
  readonly sql: string
}
