import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Identity } from '../platform/platform.ts'
import type { Store } from './store.ts'

export interface Scope {
  readonly uri: string
  /** A characteristic of the device that no client can remove. */
  readonly fixed: boolean
}

export type Scopes = ReturnType<typeof createScopes>

/**
 * The scopes by which clients find the device (Core 7.3.2.2, 8.3.14 to 8.3.17).
 *
 * Core asks for a fixed `Profile` scope as well. There is none: a profile says that the device was tested against all of it,
 * and this one serves no profile completely. Location is where somebody put the device, so it can be changed.
 */
export function createScopes({
  store,
  identity,
  hwAddress,
  changed = () => {},
}: {
  readonly store: Store
  readonly identity: Identity
  readonly hwAddress: string
  /** Told when there are others. */
  readonly changed?: () => void
}) {
  const fixed = [
    onvifScope('hardware', identity.model),
    onvifScope('name', identity.model),
    onvifScope('SerialNumber', identity.serialNumber),
    onvifScope('MacAddress', hwAddress.replaceAll(':', '')),
  ]
  const configurable = store.document<readonly string[]>('scopes', parseScopes, () => [onvifScope('location', 'unknown')])

  /** What is already there, fixed or twice in the list, counts once: clients send back the list that they got. */
  function replace(uris: readonly string[]): void {
    for (const uri of uris) assertScope(uri)
    const wanted = [...new Set(uris)].filter(uri => !fixed.includes(uri))
    if (fixed.length + wanted.length > limits.scopesMax)
      throw fault('TooManyScopes', `more than ${limits.scopesMax} scopes, ${fixed.length} of them fixed`)
    configurable.set(wanted)
    changed()
  }

  return {
    list(): readonly Scope[] {
      return [...fixed.map(uri => ({ uri, fixed: true })), ...configurable.get().map(uri => ({ uri, fixed: false }))]
    },

    /** Replaces the configurable ones. Throws TooManyScopes, InvalidArgVal. */
    replace,

    /** Throws TooManyScopes, InvalidArgVal. */
    add(uris: readonly string[]): void {
      replace([...configurable.get(), ...uris])
    },

    /** All of them or none: throws FixedScope, NoScope. */
    remove(uris: readonly string[]): void {
      const present = configurable.get()
      for (const uri of uris) {
        if (fixed.includes(uri)) throw fault('FixedScope', `${quote(uri)} is fixed`)
        if (!present.includes(uri)) throw fault('NoScope', `there is no scope ${quote(uri)}`)
      }
      configurable.set(present.filter(uri => !uris.includes(uri)))
      changed()
    },
  }
}

const onvifScope = (category: string, value: string): string => `onvif://www.onvif.org/${category}/${encodeURIComponent(value)}`

/**
 * An absolute URI (RFC 3986 4.3), or an IRI: matching compares segment by segment (Core 7.3.2.2.2). Blanks are out,
 * because discovery sends all scopes as one list with blanks between them.
 */
const absoluteUri = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|(?![\p{C}\p{Z}])[^\u0000-\u007f])+$/u

function assertScope(uri: string): void {
  if (uri.length > limits.scopeCharactersMax) throw fault('InvalidArgVal', `a scope has at most ${limits.scopeCharactersMax} characters`)
  if (!absoluteUri.test(uri)) throw fault('InvalidArgVal', `${quote(uri)} is no absolute URI`)
}

const quote = (uri: string): string => JSON.stringify(uri.slice(0, 100))

function parseScopes(stored: unknown): readonly string[] {
  if (!Array.isArray(stored) || stored.length > limits.scopesMax) throw new Error('no list of scopes')
  return stored.map(uri => {
    if (typeof uri !== 'string') throw new Error('no list of scopes')
    assertScope(uri)
    return uri
  })
}
