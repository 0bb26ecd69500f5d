import { type FaultName, fault } from '../../onvif/faults.ts'
import type { Seal } from '../seal.ts'
import type { Store } from '../store.ts'
import { type Content, emptyContent, type Kind, quote, type References, referencesTo, withoutLeftovers } from './content.ts'
import { parseContent } from './storedContent.ts'

export type ContentDocument = ReturnType<typeof createContent>

/** All of the keystore in one document, so that a change to several parts of it is one, and no reference ever points nowhere. */
export function createContent({ store, seal }: { readonly store: Store; readonly seal: Seal }) {
  const document = store.document<Content>(
    'keystore',
    stored => parseContent(stored, seal),
    () => emptyContent,
  )
  const watchers: ((next: Content, before: Content) => void)[] = []
  const referrers: (() => References)[] = []

  function commit(next: Content): void {
    const before = document.get()
    if (next === before) return
    document.set(next)
    for (const watch of watchers) watch(document.get(), before)
  }

  const isReferredTo = (kind: Kind, id: string): boolean => referrers.some(source => source()[kind]?.includes(id))

  return {
    get: (): Content => document.get(),

    /** What `next` gives replaces what is there, as a whole. */
    change(next: (content: Content) => Content): void {
      commit(next(document.get()))
    },

    /** Called after every change. */
    watch: (act: (next: Content, before: Content) => void): void => void watchers.push(act),

    referTo: (source: () => References): void => void referrers.push(source),

    isReferredTo,

    withoutLeftovers: (content: Content): Content => withoutLeftovers(content, isReferredTo),

    /** Security 5.2.4. Throws ReferenceExists, or another fault that the operation has for it. */
    assertUnreferenced(kind: Kind, id: string, content: Content = document.get(), name: FaultName = 'ReferenceExists'): void {
      if (isReferredTo(kind, id) || referencesTo(content, kind).includes(id)) throw fault(name, `${quote(id)} is in use`)
    },
  }
}
