import { collapse } from './builtIns.ts'
import { isBlank } from './characters.ts'
import { SCHEMA_INSTANCE } from './namespaces.ts'
import { refuse } from './refusals.ts'
import type { XmlElement } from './xml.ts'

/** What an element that may be nil says about it (XML Schema Part 1, 2.6.2), and the element without the attribute that says it. */
export function withoutNil(element: XmlElement, root: XmlElement, strict: boolean): { readonly isNil: boolean; readonly rest: XmlElement } {
  const nil = element.attributes.find(({ name, namespace }) => name === 'nil' && namespace === SCHEMA_INSTANCE)
  if (!nil) return { isNil: false, rest: element }
  const value = collapse(nil.value)
  if (!/^(?:true|false|1|0)$/.test(value)) throw refuse('InvalidArgVal', 'is not xs:boolean', element, root, 'nil')
  const isNil = value === 'true' || value === '1'
  const isEmpty = element.children.length === 0 && (strict ? element.text === '' : isBlank(element.text))
  if (isNil && !isEmpty) throw refuse('InvalidArgs', 'is nil and has content', element, root)
  return { isNil, rest: { ...element, attributes: element.attributes.filter(attribute => attribute !== nil) } }
}
