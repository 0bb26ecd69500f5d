import { type FaultName, fault, type SoapFault } from '../onvif/faults.ts'
import type { XmlElement } from './xml.ts'

/** The fault for one element of a message, or one attribute of it. The value is not quoted: it may be a password. */
export function refuse(name: FaultName, problem: string, element: XmlElement, root: XmlElement, attribute?: string): SoapFault {
  const path = pathTo(element, root) ?? element.name
  return fault(name, `${attribute === undefined ? path : `${path}/@${attribute}`} ${problem}`)
}

/** As in `SetScopes/Scopes[2]`: where there are several of a name, they are counted from 1. */
function pathTo(target: XmlElement, from: XmlElement): string | undefined {
  if (from === target) return from.name
  for (const child of from.children) {
    const rest = pathTo(target, child)
    if (rest === undefined) continue
    const namesakes = from.children.filter(({ name }) => name === child.name)
    const position = namesakes.length > 1 ? `[${namesakes.indexOf(child) + 1}]` : ''
    return `${from.name}/${child.name}${position}${rest.slice(child.name.length)}`
  }
  return undefined
}
