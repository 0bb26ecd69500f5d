import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Seal } from '../seal.ts'
import { assertAlias, assertRoom, type Content, find, newId } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'

export type Passphrases = ReturnType<typeof createPassphrases>

/** Passphrases for files and networks (Security 5.2.6.1). They go in, and never come out. */
export function createPassphrases({ content, seal }: { readonly content: ContentDocument; readonly seal: Seal }) {
  return {
    list: (): readonly { readonly id: string; readonly alias: string | undefined }[] =>
      content.get().passphrases.map(({ id, alias }) => ({ id, alias })),

    /** Throws BadPassphrase, MaximumNumberOfPassphrasesReached. */
    upload(passphrase: string, alias?: string): string {
      assertAlias(alias)
      const id = newId('Passphrase')
      content.change(all => addPassphrase(all, seal, { id, alias }, passphrase))
      return id
    },

    /** Throws PassphraseID, ReferenceExists. */
    delete(id: string): void {
      find(content.get().passphrases, id, 'PassphraseID')
      content.assertUnreferenced('passphrases', id)
      content.change(all => ({ ...all, passphrases: all.passphrases.filter(each => each.id !== id) }))
    },

    /** For use inside of the device. Throws PassphraseID. */
    open: (id: string): string => seal.open(find(content.get().passphrases, id, 'PassphraseID').sealed, `passphrase:${id}`),
  }
}

export function addPassphrase(
  all: Content,
  seal: Seal,
  entry: { readonly id: string; readonly alias?: string | undefined; readonly isMade?: boolean },
  passphrase: string,
): Content {
  if (passphrase === '' || passphrase.length > limits.passphraseCharactersMax || /\p{Cc}/u.test(passphrase))
    throw fault('BadPassphrase', `a passphrase has 1 to ${limits.passphraseCharactersMax} characters, and no control characters`)
  assertRoom(all.passphrases, limits.passphrasesMax, 'MaximumNumberOfPassphrasesReached')
  return { ...all, passphrases: [...all.passphrases, { ...entry, sealed: seal.seal(passphrase, `passphrase:${entry.id}`) }] }
}
