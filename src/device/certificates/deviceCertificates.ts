import type { KeyObject } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { limits } from '../../limits.ts'
import { type FaultName, fault, SoapFault } from '../../onvif/faults.ts'
import type { Clock } from '../../platform/platform.ts'
import type { Seal } from '../seal.ts'
import { addCertificate, type Certificates, validityOf } from './certificates.ts'
import { type Content, quote, referencesTo, type StoredCertificate } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { opening, reading } from './faultNames.ts'
import { addPrivateKey, makePair } from './keys.ts'
import { addPath, leafHasPrivateKey, pathFrom } from './paths.ts'
import { addPolicy } from './trust.ts'
import { spkiOf } from './x509/algorithms.ts'
import { type Certificate, type CertificateInformation, isSelfIssued, readCertificate, splitPem } from './x509/certificate.ts'
import { loadKeyFiles } from './x509/loadKeyFiles.ts'
import { type AttributeOrder, makeSelfSigned, usualSignatureAlgorithm } from './x509/making.ts'
import { type DistinguishedName, nameOf, parseNameText } from './x509/names.ts'

/** A certificate under the name that clients of the Device service use: their own one, or else its ID. */
export interface NamedCertificate {
  readonly token: string
  readonly der: Buffer
}

export interface CreateRequest {
  readonly token?: string | undefined
  /** Such as `CN=camera,O=Company`. */
  readonly subject: string
  readonly validFrom?: Date | undefined
  readonly validTo?: Date | undefined
  readonly hostNames?: readonly string[]
}

interface Parts {
  readonly content: ContentDocument
  readonly certificates: Certificates
  readonly seal: Seal
  readonly clock: Clock
  readonly allowLegacy: boolean
  readonly isTlsEnabled: () => boolean
}

/** The Device service asks for no kind of key: this one is made in no time, and every client of the last ten years takes it. */
const algorithm = 'EC-P-256'

export type DeviceCertificates = ReturnType<typeof createDeviceCertificates>

/**
 * The certificates as the Device service shows them (withdrawn from Core after 16.06): those with a private key are the device's
 * own, all others are of authorities. What it has no word for, paths and policies, is made for it and goes when it is not used.
 */
export function createDeviceCertificates({ content, certificates, seal, clock, allowLegacy, isTlsEnabled }: Parts) {
  const { read } = certificates
  const isOwn = (all: Content, { id }: StoredCertificate) => leafHasPrivateKey(all, id)
  const named = (entry: StoredCertificate): NamedCertificate => ({ token: tokenOf(entry), der: read(entry).der })

  function own(all: Content, token: string): StoredCertificate {
    const found = findByToken(all, token, 'CertificateID')
    if (!isOwn(all, found)) throw fault('CertificateID', `there is no private key for ${quote(token)}`)
    return found
  }

  const isEnabled = (all: Content, { id }: StoredCertificate): boolean =>
    all.paths.some(path => path.certificateIds[0] === id && all.tls.pathIds.includes(path.id))

  function load(der: Uint8Array): Certificate {
    const [first, ...more] = splitPem(der)
    if (!first || more.length > 0) throw fault('CertificateFormat', 'one certificate is wanted')
    return reading('CertificateFormat', () => readCertificate(first, allowLegacy), formatOnly)
  }

  /** A list may take longer than others should wait: they have their turn after each of it. Nothing is stored meanwhile. */
  async function loadEach<T extends { readonly der: Uint8Array }>(
    requested: readonly T[],
  ): Promise<(T & { readonly certificate: Certificate })[]> {
    const items = []
    for (const each of requested) {
      items.push({ ...each, certificate: load(each.der) })
      await turn()
    }
    return items
  }

  return {
    /** GetCertificates. */
    own: (): readonly NamedCertificate[] =>
      content
        .get()
        .certificates.filter(each => isOwn(content.get(), each))
        .map(named),

    /** GetCACertificates. */
    authorities: (): readonly NamedCertificate[] =>
      content
        .get()
        .certificates.filter(each => !isOwn(content.get(), each))
        .map(named),

    /** Throws CertificateID. */
    information: (token: string): CertificateInformation => read(findByToken(content.get(), token, 'CertificateID')).information,

    /** Whether the TLS server uses them. */
    statuses(): readonly { readonly token: string; readonly enabled: boolean }[] {
      const all = content.get()
      return all.certificates.filter(each => isOwn(all, each)).map(each => ({ token: tokenOf(each), enabled: isEnabled(all, each) }))
    },

    /**
     * Those that are not named keep theirs. Throws CertificateID for one that is not here, or where more than one would be enabled;
     * OperationProhibited where HTTPS is enabled and would have none.
     */
    setStatuses(statuses: readonly { readonly token: string; readonly enabled: boolean }[]): void {
      content.change(all => {
        const wanted = new Map(statuses.map(({ token, enabled }) => [own(all, token).id, enabled]))
        const changes = all.certificates.filter(each => wanted.has(each.id) && wanted.get(each.id) !== isEnabled(all, each))
        if (changes.length === 0) return all
        const enabled = all.certificates.filter(each => wanted.get(each.id) ?? isEnabled(all, each))
        if (enabled.length > 1) throw fault('CertificateID', 'the TLS server uses one certificate at a time: disable the other one')
        if (enabled.length === 0 && isTlsEnabled()) throw fault('OperationProhibited', 'HTTPS is enabled, and needs a certificate')
        const [leaf] = enabled
        const kept = all.tls.pathIds.filter(id => all.paths.some(path => path.id === id && path.certificateIds[0] === leaf?.id))
        if (!leaf || kept.length > 0) return content.withoutLeftovers({ ...all, tls: { ...all.tls, pathIds: kept } })
        const path = addPath(all, read, pathFrom(all, read, leaf.id, allowLegacy), allowLegacy, { isMade: true })
        return content.withoutLeftovers({ ...path.content, tls: { ...all.tls, pathIds: [path.id] } })
      })
    },

    /** A key pair and a certificate that it issues for itself. Throws KeyGeneration, CertificateID, InvalidDateTime, InvalidSubject. */
    async create({ token, subject, validFrom, validTo, hostNames = [] }: CreateRequest): Promise<NamedCertificate> {
      const order = {
        subject: checkedSubject(subject),
        ...validityOf({ validFrom, validTo }, clock.now()),
        hostNames,
      }
      if (token !== undefined) assertFree(content.get(), token, 'CertificateID')
      const key = await makePair(algorithm).catch(cause => {
        throw fault('KeyGeneration', 'the key pair could not be made', { cause })
      })
      const signatureAlgorithm = usualSignatureAlgorithm(key)
      const der = await opening('InvalidArgVal', () => makeSelfSigned(key, { ...order, signatureAlgorithm }, allowLegacy))
      const [id] = bringIn([{ token, certificate: readCertificate(der, allowLegacy), key, external: false }], 'KeyGeneration')
      return named(findById(content.get(), id))
    },

    /**
     * PKCS #10 for the key pair of a certificate, by default with its subject. Throws CertificateID, Signature, InvalidSubject,
     * InvalidAttribute.
     */
    async request(token: string, subject?: string, attributes: readonly AttributeOrder[] = []): Promise<Buffer> {
      const entry = own(content.get(), token)
      const name = subject === undefined ? parseNameText(read(entry).information.subject) : checkedSubject(subject)
      return await certificates.request(entry.keyId, name, attributes).catch(cause => {
        throw cause instanceof SoapFault && cause.code === 'Sender'
          ? cause
          : fault('Signature', 'the request could not be signed', { cause })
      })
    },

    /** Certificates for key pairs that are here. All or nothing. Throws CertificateFormat, CertificateID. */
    async load(requested: readonly { readonly token: string; readonly der: Uint8Array }[]): Promise<void> {
      const items = await loadEach(requested)
      const present = new Set(content.get().keys.flatMap(({ privateKey, publicKey }) => (privateKey === undefined ? [] : [publicKey])))
      for (const { token, certificate } of items)
        if (!present.has(certificate.spki.toString('base64')))
          throw fault('CertificateFormat', `there is no key pair for the certificate ${quote(token)}`)
      bringIn(items, 'CertificateID')
    },

    /** With their key pairs in PKCS #8. All or nothing. Throws CertificateFormat, CertificateID, KeysNotMatching. */
    async loadWithPrivateKey(
      requested: readonly { readonly token?: string | undefined; readonly der: Uint8Array; readonly pkcs8: Uint8Array }[],
    ): Promise<void> {
      if (requested.length > limits.certificatesMax) throw fault('MaxCertificates', 'there is no room for so many')
      const items = await loadEach(requested)
      const { readPrivateKey } = await loadKeyFiles()
      const pairs = []
      for (const { pkcs8, ...item } of items) {
        const key = await opening('CertificateFormat', () => readPrivateKey(pkcs8, undefined, allowLegacy), formatOnly)
        if (!spkiOf(key).equals(item.certificate.spki)) throw fault('KeysNotMatching', 'the private key is not that of the certificate')
        pairs.push({ ...item, key })
      }
      bringIn(pairs, 'CertificateID')
    },

    /** DER or PEM. All or nothing. Throws CertificateFormat, CACertificateID, MaxCertificates. */
    async loadAuthorities(requested: readonly { readonly token: string; readonly der: Uint8Array }[]): Promise<void> {
      const items = await loadEach(requested)
      // Version 1 had no way to say it.
      for (const { certificate } of items)
        if (!certificate.isAuthority && !(certificate.information.version === 1 && isSelfIssued(certificate)))
          throw fault('CertificateFormat', 'that is not the certificate of a CA')
      bringIn(items, 'CACertificateID')
    },

    /** With their key pairs, unless these are used elsewhere. All or nothing. Throws CertificateID, ReferencedCertificate. */
    delete(tokens: readonly string[]): void {
      content.change(all => {
        const gone = new Set(tokens.map(token => findByToken(all, token, 'CertificateID')))
        const next = { ...all, certificates: all.certificates.filter(each => !gone.has(each)) }
        for (const { id } of gone) content.assertUnreferenced('certificates', id, next, 'ReferencedCertificate')
        const keyIds = new Set([...gone].map(({ keyId }) => keyId))
        const used = new Set(referencesTo(next, 'keys'))
        return { ...next, keys: next.keys.filter(({ id }) => !keyIds.has(id) || used.has(id) || content.isReferredTo('keys', id)) }
      })
    },

    /** GetClientCertificateMode. */
    clientMode: (): boolean => content.get().tls.clientAuthenticationRequired,

    /**
     * Whether clients have to authenticate. Where no policy is assigned, every authority that is here now is believed. Throws
     * ClientAuth where there is none.
     */
    setClientMode(required: boolean): void {
      content.change(all => {
        if (all.tls.clientAuthenticationRequired === required) return all
        const tls = { ...all.tls, clientAuthenticationRequired: required }
        if (!required) {
          const policyIds = tls.policyIds.filter(id => all.policies.some(policy => policy.id === id && policy.isMade !== true))
          return content.withoutLeftovers({ ...all, tls: { ...tls, policyIds, cnMapsToUser: tls.cnMapsToUser && policyIds.length > 0 } })
        }
        if (tls.policyIds.length > 0) return { ...all, tls }
        const anchorIds = all.certificates.filter(each => !isOwn(all, each) && read(each).isAuthority).map(({ id }) => id)
        if (anchorIds.length === 0) throw fault('ClientAuth', 'there is no CA certificate that clients could be held against')
        const policy = addPolicy(all, { requireClientAuthUsage: false, useDeltaCrls: false, anchorIds, isMade: true })
        return { ...policy.content, tls: { ...tls, policyIds: [policy.id] } }
      })
    },
  }

  /** Puts certificates, with the keys that come with them, into the keystore in one step. Gives their IDs. */
  function bringIn(items: readonly Item[], taken: FaultName): readonly string[] {
    const ids: string[] = []
    content.change(all => {
      let next = all
      for (const { token, certificate, key, external } of items) {
        if (token !== undefined) assertFree(next, token, taken)
        try {
          if (key) next = addPrivateKey(next, seal, key, undefined, external).content
          const added = addCertificate(next, certificate, { token })
          next = added.content
          ids.push(added.id)
        } catch (cause) {
          throw inOldWords(cause, taken)
        }
      }
      return next
    })
    return ids
  }
}

interface Item {
  readonly token?: string | undefined
  readonly certificate: Certificate
  readonly key?: KeyObject
  readonly external?: boolean
}

/** The Device service has one fault for whatever is wrong with bytes. */
const formatOnly = {
  publicKey: 'CertificateFormat',
  signatureAlgorithm: 'CertificateFormat',
  passphrase: 'CertificateFormat',
  mismatch: 'KeysNotMatching',
} as const

function inOldWords(error: unknown, taken: FaultName): unknown {
  if (!(error instanceof SoapFault)) return error
  const name = error.subcodes.at(-1)
  if (name === 'Duplicate') return fault(taken, error.message, { cause: error })
  if (!name?.startsWith('MaximumNumberOf')) return error
  return fault(taken === 'KeyGeneration' ? taken : 'MaxCertificates', error.message, { cause: error })
}

const tokenOf = ({ id, token }: StoredCertificate): string => token ?? id

function findById({ certificates }: Content, id: string | undefined): StoredCertificate {
  const found = certificates.find(each => each.id === id)
  if (!found) throw new Error('a certificate was lost on its way')
  return found
}

export function findByToken(all: Content, token: string, name: FaultName): StoredCertificate {
  const found = all.certificates.find(each => tokenOf(each) === token)
  if (!found) throw fault(name, `there is no certificate ${quote(token)}`)
  return found
}

function assertFree(all: Content, token: string, name: FaultName): void {
  if (token === '' || token.length > limits.keystoreIdCharactersMax || /[\p{Cc}\p{Cs}]/u.test(token))
    throw fault(name, `the ID of a certificate has 1 to ${limits.keystoreIdCharactersMax} characters`)
  if (all.certificates.some(each => tokenOf(each) === token)) throw fault(name, `the ID ${quote(token)} is taken`)
}

function checkedSubject(text: string): DistinguishedName {
  return reading('InvalidSubject', () => {
    const subject = parseNameText(text)
    nameOf(subject)
    return subject
  })
}
