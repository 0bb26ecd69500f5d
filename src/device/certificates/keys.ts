import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Log } from '../../platform/platform.ts'
import type { Seal } from '../seal.ts'
import { assertAlias, assertRoom, type Content, find, type KeyStatus, newId, type StoredKey } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { opening } from './faultNames.ts'
import type { Passphrases } from './passphrases.ts'
import { describeKey, spkiOf } from './x509/algorithms.ts'
import { loadKeyFiles } from './x509/loadKeyFiles.ts'

/** tas:KeyAttribute. Nothing of this is secret. */
export interface Key {
  readonly id: string
  readonly alias: string | undefined
  readonly algorithm: string
  readonly status: KeyStatus
  /** As far as is known: a pair that is being made will have one. */
  readonly hasPrivateKey: boolean
  readonly external: boolean
}

/** What a client watches (tns1:Advancedsecurity/Keystore/KeyStatus). `before` is undefined for a key that is new. */
export type OnKeyStatus = (id: string, status: KeyStatus, before: KeyStatus | undefined) => void

interface Parts {
  readonly content: ContentDocument
  readonly seal: Seal
  readonly passphrases: Passphrases
  readonly log: Log
  readonly allowLegacy: boolean
  readonly onKeyStatus: OnKeyStatus
}

export const rsaKeyLengths: readonly number[] = [2_048, 3_072, 4_096]
/** By their names in the registry of TLS groups, as tas wants them; and what node:crypto calls them. */
const curves: Readonly<Record<string, string>> = { secp256r1: 'P-256', secp384r1: 'P-384' }
export const ellipticCurves: readonly string[] = Object.keys(curves)

/** Roughly, on a small processor; a key waits for those before it. */
const estimatesMs: Readonly<Record<string, number>> = { 'RSA-2048': 1_000, 'RSA-3072': 4_000, 'RSA-4096': 12_000 }
const estimateEcMs = 100

const generate = promisify(generateKeyPair)

export type Keys = ReturnType<typeof createKeys>

/** Key pairs (Security 5.2.5, 5.2.6.2): made here, or brought along. Private halves stay in the device. */
export function createKeys({ content, seal, passphrases, log, allowLegacy, onKeyStatus }: Parts) {
  const opened = new Map<string, { readonly sealed: string; readonly key: KeyObject }>()
  const waiting: (() => Promise<void>)[] = []
  const whenDone = new Map<string, Promise<void>>()
  let running = 0
  let stopped = false

  function setStatus(id: string, change: Pick<StoredKey, 'status'> & Partial<StoredKey>): void {
    // A client may have deleted it in the meantime, which ends the generation (Security 5.2.6.2.6).
    if (stopped || !content.get().keys.some(key => key.id === id)) return
    content.change(all => ({ ...all, keys: all.keys.map(key => (key.id === id ? { ...key, ...change } : key)) }))
    onKeyStatus(id, change.status, 'generating')
  }

  /** node:crypto does it on threads of its own; a few at a time, so that the others are for the clients. */
  async function make(id: string, algorithm: string): Promise<void> {
    if (stopped || !content.get().keys.some(key => key.id === id)) return
    try {
      const privateKey = await makePair(algorithm)
      setStatus(id, { status: 'ok', ...sealed(seal, id, privateKey) })
    } catch (error) {
      log.error({ error, id }, 'a key pair could not be made')
      setStatus(id, { status: 'corrupt' })
    }
  }

  function next(): void {
    if (running >= limits.keyGenerationsMax) return
    const work = waiting.shift()
    if (!work) return
    running += 1
    work().finally(() => {
      running -= 1
      next()
    })
  }

  function order(algorithm: string, alias: string | undefined): { readonly id: string; readonly estimateMs: number } {
    assertAlias(alias)
    const id = newId('Key')
    content.change(all => {
      assertKeyRoom(all)
      return { ...all, keys: [...all.keys, { id, alias, algorithm, status: 'generating', external: false }] }
    })
    onKeyStatus(id, 'generating', undefined)
    const { promise, resolve } = Promise.withResolvers<void>()
    whenDone.set(id, promise)
    waiting.push(() =>
      make(id, algorithm).finally(() => {
        whenDone.delete(id)
        resolve()
      }),
    )
    const estimateMs = (estimatesMs[algorithm] ?? estimateEcMs) * (waiting.length + running)
    next()
    return { id, estimateMs }
  }

  /** The private half, for use inside of the device. Throws KeyID, InvalidKeyStatus. */
  function privateKey(id: string): KeyObject {
    const key = find(content.get().keys, id, 'KeyID')
    if (key.status !== 'ok' || key.privateKey === undefined || key.publicKey === undefined)
      throw fault('InvalidKeyStatus', 'the key is not ready, or has no private half')
    const known = opened.get(id)
    if (known?.sealed === key.privateKey) return known.key
    const pkcs8 = Buffer.from(seal.open(key.privateKey, `key:${id}`), 'base64')
    const made = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    opened.set(id, { sealed: key.privateKey, key: made })
    return made
  }

  content.watch(all => {
    const present = new Set(all.keys.map(key => key.id))
    for (const id of opened.keys()) if (!present.has(id)) opened.delete(id)
  })

  const interrupted = content.get().keys.filter(({ status }) => status === 'generating')
  if (interrupted.length > 0) {
    // "Not successfully generated" (tas:KeyStatus): the client that ordered it sees it, deletes it and asks again.
    content.change(all => ({ ...all, keys: all.keys.map(key => (key.status === 'generating' ? { ...key, status: 'corrupt' } : key)) }))
    for (const { id } of interrupted) onKeyStatus(id, 'corrupt', 'generating')
  }

  return {
    list: (): readonly Key[] => content.get().keys.map(visible),

    /** Throws KeyID. */
    get: (id: string): Key => visible(find(content.get().keys, id, 'KeyID')),

    /** Returns at once; the key is made afterwards. Throws KeyLength, MaximumNumberOfKeysReached. */
    createRsa(bits: number, alias?: string): { readonly id: string; readonly estimateMs: number } {
      if (!rsaKeyLengths.includes(bits)) throw fault('KeyLength', `an RSA key has ${rsaKeyLengths.join(', ')} bits`)
      return order(`RSA-${bits}`, alias)
    },

    /** The same on a curve, by its name in TLS. Throws UnsupportedEllipticCurve, MaximumNumberOfKeysReached. */
    createEc(curve: string, alias?: string): { readonly id: string; readonly estimateMs: number } {
      const name = Object.hasOwn(curves, curve) ? curves[curve] : undefined
      if (name === undefined) throw fault('UnsupportedEllipticCurve', `the curve is one of ${ellipticCurves.join(', ')}`)
      return order(`EC-${name}`, alias)
    },

    /** When the pair has been made, or has failed. Throws nothing. */
    whenReady: (id: string): Promise<void> => whenDone.get(id) ?? Promise.resolve(),

    /**
     * A pair in PKCS #8. An inline passphrase wins over one by ID. If its public half is here already, that is completed.
     * Throws MaximumNumberOfKeysReached, PassphraseID, DecryptionFailed, BadPKCS8File, UnsupportedPublicKeyAlgorithm,
     * PublicPrivateKeyMismatch.
     */
    async upload(der: Uint8Array, { alias, passphrase, passphraseId }: KeyUpload = {}): Promise<string> {
      assertAlias(alias)
      assertKeyRoom(content.get())
      const secret = passphrase ?? (passphraseId === undefined ? undefined : passphrases.open(passphraseId))
      const { readPrivateKey } = await loadKeyFiles()
      const key = await opening('BadPKCS8File', () => readPrivateKey(der, secret, allowLegacy))
      let id = ''
      content.change(all => {
        const added = addPrivateKey(all, seal, key, alias)
        id = added.id
        return added.content
      })
      return id
    },

    /** Ends its generation, too. Throws KeyID, ReferenceExists. */
    delete(id: string): void {
      find(content.get().keys, id, 'KeyID')
      content.assertUnreferenced('keys', id)
      content.change(all => ({ ...all, keys: all.keys.filter(key => key.id !== id) }))
    },

    privateKey,

    /** Of a pair, or of somebody else. Throws KeyID, InvalidKeyStatus. */
    publicKey(id: string): KeyObject {
      const { status, publicKey } = find(content.get().keys, id, 'KeyID')
      if (status !== 'ok' || publicKey === undefined) throw fault('InvalidKeyStatus', 'the key is not ready')
      return createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    },

    /** What is being made is given up; the next start finds it corrupt. */
    stop(): void {
      stopped = true
    },
  }
}

export interface KeyUpload {
  readonly alias?: string | undefined
  readonly passphrase?: string | undefined
  readonly passphraseId?: string | undefined
}

export const hasPrivateKey = ({ status, privateKey }: StoredKey): boolean => status === 'generating' || privateKey !== undefined

const visible = (key: StoredKey): Key => ({
  id: key.id,
  alias: key.alias,
  algorithm: key.algorithm,
  status: key.status,
  hasPrivateKey: hasPrivateKey(key),
  external: key.external,
})

/** The name as `Key.algorithm` has it. It takes no time of the event loop. */
export async function makePair(algorithm: string): Promise<KeyObject> {
  const size = algorithm.slice(algorithm.indexOf('-') + 1)
  const { privateKey } = algorithm.startsWith('RSA')
    ? await generate('rsa', { modulusLength: Number(size) })
    : await generate('ec', { namedCurve: size })
  return privateKey
}

const sealed = (seal: Seal, id: string, key: KeyObject) => ({
  publicKey: spkiOf(key).toString('base64'),
  privateKey: seal.seal(key.export({ type: 'pkcs8', format: 'der' }).toString('base64'), `key:${id}`),
})

/** Throws MaximumNumberOfKeysReached. Public halves of others are bounded by their certificates. */
export function assertKeyRoom({ keys }: Content): void {
  assertRoom(
    keys.filter(key => hasPrivateKey(key) || key.status === 'corrupt'),
    limits.keysMax,
    'MaximumNumberOfKeysReached',
  )
}

/** Brings a private key in; with that of a public half, or of a pair, that is here it becomes one entry. */
export function addPrivateKey(all: Content, seal: Seal, key: KeyObject, alias: string | undefined, external = true) {
  const publicKey = spkiOf(key).toString('base64')
  const present = all.keys.find(each => each.status === 'ok' && each.publicKey === publicKey)
  if (present?.privateKey !== undefined) return { id: present.id, content: all }
  assertKeyRoom(all)
  const id = present?.id ?? newId('Key')
  const pair: StoredKey = {
    id,
    alias: alias ?? present?.alias,
    algorithm: describeKey(key),
    status: 'ok',
    external,
    ...sealed(seal, id, key),
  }
  return { id, content: { ...all, keys: present ? all.keys.map(each => (each === present ? pair : each)) : [...all.keys, pair] } }
}
