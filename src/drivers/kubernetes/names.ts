/** The field manager that every apply bears. */
export const manager = 'plumbline'
