/** Ends the evaluation of a CEL expression with an error, in cel-go's words where it has some. */
export function wrong(message: string): never {
  throw new Error(message)
}
