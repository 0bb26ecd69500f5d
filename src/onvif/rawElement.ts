import { contract } from './contract.generated.ts'
import type { QualifiedName, RawElement } from './schema.ts'

/**
 * An element that the contract does not know, as topic sets are made of. Names have the fixed prefix of their namespace, as in
 * `tns1:Device`, or none where they are in no namespace, as `Relay` or the attribute `Name` are.
 */
export function rawElement(
  name: QualifiedName,
  attributes: Readonly<Record<QualifiedName, string>> = {},
  content: readonly RawElement[] | string = [],
): RawElement {
  return {
    ...expanded(name),
    attributes: Object.entries(attributes).map(([attribute, value]) => ({ ...expanded(attribute), value })),
    children: typeof content === 'string' ? [] : content,
    text: typeof content === 'string' ? content : '',
  }
}

function expanded(qualified: QualifiedName): { readonly namespace: string; readonly name: string } {
  const [name = '', prefix] = qualified.split(':').reverse()
  const namespace = prefix === undefined ? '' : contract.namespaces[prefix]
  if (namespace === undefined) throw new Error(`${qualified} has a prefix that the contract does not know`)
  return { namespace, name }
}
