import { limits } from '../../limits.ts'
import { createSeal, sealingKeyOf } from '../seal.ts'
import { type Store, StoreError } from '../store.ts'

export type ForeignKeys = ReturnType<typeof createForeignKeys>

/**
 * The sealing keys of other devices whose secrets came here with a backup: such secrets stay sealed as they came, and what is
 * sealed here is sealed with the device's own key. They belong to the machine, and are themselves sealed with that key.
 */
export function createForeignKeys({ store, key }: { readonly store: Store; readonly key: Uint8Array }) {
  const own = createSeal(key)
  const ownKey = sealingKeyOf(key)
  const unseal = (sealed: string): Buffer => Buffer.from(own.open(sealed, 'foreign key'), 'base64')
  const document = store.document<readonly string[]>('machine/foreignKeys', parse, () => [])
  let opened: { readonly from: readonly string[]; readonly keys: readonly Buffer[] } | undefined

  function parse(stored: unknown): readonly string[] {
    if (!Array.isArray(stored) || stored.length > limits.foreignKeysMax) throw new Error('no list of keys')
    return stored.map(sealed => {
      if (typeof sealed !== 'string' || unseal(sealed).length !== 32) throw new Error('no sealed key')
      return sealed
    })
  }

  function list(): readonly Buffer[] {
    const from = document.get()
    if (opened?.from !== from) opened = { from, keys: from.map(unseal) }
    return opened.keys
  }

  return {
    list,

    /** All that open what is sealed on this device, the device's own first: what a backup needs to be read elsewhere. */
    all: (): readonly Buffer[] => [ownKey, ...list()],

    /** Those that a backup brought replace those of the backup before it, whose secrets it replaces. Throws StoreError. */
    adopt(keys: readonly Uint8Array[]): void {
      const foreign = keys.filter(each => !ownKey.equals(each))
      if (foreign.length > limits.foreignKeysMax)
        throw new StoreError(`the backup went through more than ${limits.foreignKeysMax} other devices`)
      if (foreign.length > 0 || list().length > 0)
        document.set(foreign.map(each => own.seal(Buffer.from(each).toString('base64'), 'foreign key')))
    },
  }
}
