import { fault } from '../onvif/faults.ts'
import type { Store } from './store.ts'

export type HashingAlgorithms = ReturnType<typeof createHashingAlgorithms>

/**
 * Which algorithms of HTTP Digest are offered, and in which order (Core 5.9.3.1). `supported` are all that there are, in the order of
 * the factory.
 */
export function createHashingAlgorithms({ store, supported }: { readonly store: Store; readonly supported: readonly string[] }) {
  const document = store.document<readonly string[]>('hashingAlgorithms', parse, () => supported)

  function parse(stored: unknown): readonly string[] {
    if (!Array.isArray(stored)) throw new Error('no list of algorithms')
    const names = stored.map(name => {
      if (typeof name !== 'string') throw new Error('no list of algorithms')
      return name
    })
    assertOffer(names)
    return names
  }

  function assertOffer(names: readonly string[]): void {
    if (names.length === 0) throw fault('InvalidArgVal', 'without any algorithm nobody could log in')
    if (names.some(name => !supported.includes(name))) throw fault('InvalidArgVal', `the algorithms are ${supported.join(' and ')}`)
    if (new Set(names).size < names.length) throw fault('InvalidArgVal', 'an algorithm is in the list twice')
  }

  return {
    supported,
    /** What a challenge offers, the preferred one first. */
    offered: (): readonly string[] => document.get(),

    /** From the next challenge on. Throws InvalidArgVal. */
    set(names: readonly string[]): void {
      assertOffer(names)
      document.set(names)
    },
  }
}
