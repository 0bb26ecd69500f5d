import type { AnyOrRaw } from './schema.ts'
import type { Carried } from './types.generated.ts'

/** Whether something in a wildcard is this element. Its value has the type of the contract then: the codec has decoded it by that. */
export function isCarried<E extends keyof Carried>(
  each: AnyOrRaw,
  element: E,
): each is { readonly element: E; readonly value: Carried[E] } {
  return 'element' in each && each.element === element
}
