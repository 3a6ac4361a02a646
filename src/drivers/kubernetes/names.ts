/** The field manager that every apply bears. */
export const manager = 'plumbline'

/** Which module an object is of. It narrows a watch; it proves nothing. */
export const moduleLabel = 'plumbline.dev/module'
