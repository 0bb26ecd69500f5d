import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Clock } from '../../platform/platform.ts'
import type { Seal } from '../seal.ts'
import { assertAlias, assertRoom, type Content, find, newId, type StoredCertificate, type StoredKey } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { opening, reading } from './faultNames.ts'
import { addPrivateKey, hasPrivateKey, type Keys } from './keys.ts'
import type { Passphrases } from './passphrases.ts'
import { addPath } from './paths.ts'
import { describeKey } from './x509/algorithms.ts'
import { type Certificate, readCertificate } from './x509/certificate.ts'
import { loadKeyFiles } from './x509/loadKeyFiles.ts'
import { type AttributeOrder, type ExtensionOrder, makeRequest, makeSelfSigned, usualSignatureAlgorithm } from './x509/making.ts'
import type { DistinguishedName } from './x509/names.ts'

/** tas:X509Certificate. */
export interface CertificateEntry {
  readonly id: string
  readonly keyId: string
  readonly alias: string | undefined
  readonly der: Buffer
  readonly hasPrivateKey: boolean
}

export interface SelfSignedRequest {
  readonly keyId: string
  readonly subject: DistinguishedName
  readonly alias?: string | undefined
  readonly x509Version?: number | undefined
  readonly validFrom?: Date | undefined
  readonly validTo?: Date | undefined
  /** By its OID; absent: the usual one for the key. */
  readonly signatureAlgorithm?: string | undefined
  readonly extensions?: readonly ExtensionOrder[] | undefined
  /** Names and addresses of the host, where there are no extensions. */
  readonly hostNames?: readonly string[]
}

export interface Pkcs12Upload {
  readonly pathAlias?: string | undefined
  readonly keyAlias?: string | undefined
  readonly ignoreAdditionalCertificates?: boolean
  readonly integrityPassphraseId?: string | undefined
  readonly encryptionPassphraseId?: string | undefined
  /** Wins over both of them. */
  readonly passphrase?: string | undefined
}

interface Parts {
  readonly content: ContentDocument
  readonly keys: Keys
  readonly passphrases: Passphrases
  readonly seal: Seal
  readonly clock: Clock
  readonly allowLegacy: boolean
}

/** "No well-defined expiration date" (RFC 5280 4.1.2.5). */
const endOfTime = new Date('9999-12-31T23:59:59Z')
const beginOfTime = new Date('1950-01-01T00:00:00Z')

export type Certificates = ReturnType<typeof createCertificates>

/** Certificates, requests for them, and the files that they come in (Security 5.2.6.3). */
export function createCertificates({ content, keys, passphrases, seal, clock, allowLegacy }: Parts) {
  const parsed = new Map<string, Certificate>()

  /** What a stored certificate says, read once: an ID never means another one. */
  function read({ id, der }: StoredCertificate): Certificate {
    const known = parsed.get(id)
    if (known) return known
    const certificate = readCertificate(Buffer.from(der, 'base64'), true)
    parsed.set(id, certificate)
    return certificate
  }

  // At the start, so that no request has to wait for all of them.
  for (const entry of content.get().certificates) read(entry)
  content.watch(({ certificates }) => {
    const present = new Set(certificates.map(({ id }) => id))
    for (const id of parsed.keys()) if (!present.has(id)) parsed.delete(id)
  })

  const visible = (entry: StoredCertificate): CertificateEntry => ({
    id: entry.id,
    keyId: entry.keyId,
    alias: entry.alias,
    der: read(entry).der,
    hasPrivateKey: hasPrivateKey(find(content.get().keys, entry.keyId, 'KeyID')),
  })

  const parse = (der: Uint8Array) => reading('BadCertificate', () => readCertificate(der, allowLegacy))

  return {
    list: (): readonly CertificateEntry[] => content.get().certificates.map(visible),

    /** Throws CertificateID. */
    get: (id: string): CertificateEntry => visible(find(content.get().certificates, id, 'CertificateID')),

    read,

    /**
     * PKCS #10 in DER. Throws KeyID, InvalidKeyStatus, UnsupportedSignatureAlgorithm, KeySignatureAlgorithmMismatch, InvalidSubject,
     * InvalidAttribute.
     */
    async request(
      keyId: string,
      subject: DistinguishedName,
      attributes: readonly AttributeOrder[] = [],
      algorithm?: string,
    ): Promise<Buffer> {
      const key = keys.privateKey(keyId)
      const oid = algorithm ?? usualSignatureAlgorithm(key)
      return await opening('InvalidAttribute', () => makeRequest(key, subject, attributes, oid, allowLegacy), making)
    },

    /**
     * Gives its ID. Throws what `request` throws, UnsupportedX509Version, X509VersionExtensionsMismatch, InvalidDateTime,
     * MaximumNumberOfCertificatesReached.
     */
    async createSelfSigned(request: SelfSignedRequest): Promise<string> {
      assertAlias(request.alias)
      const { x509Version = 3, extensions } = request
      if (x509Version !== 3) {
        const withExtensions = extensions !== undefined && extensions.length > 0
        throw withExtensions
          ? fault('X509VersionExtensionsMismatch', 'extensions are a matter of version 3')
          : fault('UnsupportedX509Version', 'certificates are made in version 3')
      }
      assertCertificateRoom(content.get())
      const key = keys.privateKey(request.keyId)
      const order = {
        subject: request.subject,
        signatureAlgorithm: request.signatureAlgorithm ?? usualSignatureAlgorithm(key),
        ...validityOf(request, clock.now()),
        extensions: extensions !== undefined && extensions.length > 0 ? extensions : undefined,
        hostNames: request.hostNames ?? [],
      }
      const der = await opening('InvalidAttribute', () => makeSelfSigned(key, order, allowLegacy), making)
      // An extension that a client gave may make it one that nobody can read.
      const certificate = reading('InvalidAttribute', () => readCertificate(der, allowLegacy))
      let id = ''
      content.change(all => {
        const added = addCertificate(all, certificate, { alias: request.alias })
        id = added.id
        return added.content
      })
      return id
    },

    /**
     * Links it to the key pair that it is for; where there is none, to its public key alone. Throws BadCertificate, Duplicate,
     * UnsupportedPublicKeyAlgorithm, UnsupportedSignatureAlgorithm, InvalidKeyStatus, NoMatchingPrivateKey,
     * MaximumNumberOfCertificatesReached. That it has expired is no reason to refuse it.
     */
    upload(
      der: Uint8Array,
      {
        alias,
        keyAlias,
        privateKeyRequired = false,
      }: { alias?: string | undefined; keyAlias?: string | undefined; privateKeyRequired?: boolean } = {},
    ): { readonly id: string; readonly keyId: string } {
      assertAlias(alias)
      assertAlias(keyAlias)
      const certificate = parse(der)
      let result = { id: '', keyId: '' }
      content.change(all => {
        const key = keyOf(all, certificate)
        if (privateKeyRequired && key?.privateKey === undefined)
          throw fault('NoMatchingPrivateKey', 'there is no key pair for this certificate in the keystore')
        const { content: next, ...ids } = addCertificate(all, certificate, { alias, keyAlias })
        result = ids
        return next
      })
      return result
    },

    /**
     * All or nothing: key pair, certificates in their order, and the path of them. What is here already is used again. Throws
     * PassphraseID, DecryptionFailed, BadPKCS12File, BadCertificate, UnsupportedPublicKeyAlgorithm, UnsupportedSignatureAlgorithm,
     * PublicPrivateKeyMismatch, InvalidCertificationPath, MaximumNumberOf{Keys,Certificates,CertificationPaths}Reached.
     */
    async uploadPkcs12(der: Uint8Array, upload: Pkcs12Upload = {}): Promise<{ readonly pathId: string; readonly keyId: string }> {
      assertAlias(upload.pathAlias)
      assertAlias(upload.keyAlias)
      const secret = (id: string | undefined) => upload.passphrase ?? (id === undefined ? undefined : passphrases.open(id))
      const secrets = {
        integrity: secret(upload.integrityPassphraseId),
        integrityRequired: upload.integrityPassphraseId !== undefined,
        encryption: secret(upload.encryptionPassphraseId),
      }
      const { readPkcs12 } = await loadKeyFiles()
      const file = await opening('BadPKCS12File', () => readPkcs12(der, secrets, allowLegacy))
      const wanted = upload.ignoreAdditionalCertificates === true ? file.certificates.slice(0, 1) : file.certificates
      if (wanted.length > limits.certificationPathLengthMax)
        throw fault('InvalidCertificationPath', `a path has at most ${limits.certificationPathLengthMax} certificates`)
      const certificates = wanted.map(parse)
      let result = { pathId: '', keyId: '' }
      content.change(all => {
        const added = addPrivateKey(all, seal, file.privateKey, upload.keyAlias)
        if (keyOf(added.content, certificates[0])?.id !== added.id)
          throw fault('PublicPrivateKeyMismatch', 'the first certificate is not for this key pair')
        let next = added.content
        const ids = certificates.map(certificate => {
          const step = addCertificate(next, certificate, {}, true)
          next = step.content
          return step.id
        })
        const path = addPath(next, read, ids, allowLegacy, { alias: upload.pathAlias })
        result = { pathId: path.id, keyId: added.id }
        return path.content
      })
      return result
    },

    /** Its key stays. Throws CertificateID, ReferenceExists. */
    delete(id: string): void {
      find(content.get().certificates, id, 'CertificateID')
      content.assertUnreferenced('certificates', id)
      content.change(all => ({ ...all, certificates: all.certificates.filter(each => each.id !== id) }))
    },
  }
}

const making = { mismatch: 'KeySignatureAlgorithmMismatch' } as const

/** Throws InvalidDateTime. */
export function validityOf(
  { validFrom, validTo }: Pick<SelfSignedRequest, 'validFrom' | 'validTo'>,
  now: Date,
): { readonly validFrom: Date; readonly validTo: Date } {
  // A client whose clock is a little behind takes it, too.
  const from = validFrom ?? new Date(Math.min(now.getTime(), validTo?.getTime() ?? now.getTime()) - 86_400_000)
  const to = validTo ?? endOfTime
  if (!(from >= beginOfTime && from < to && to <= endOfTime))
    throw fault('InvalidDateTime', 'a certificate is valid from a time on until a later one')
  return { validFrom: from, validTo: to }
}

/** The key that the certificate is for. */
const keyOf = ({ keys }: Content, certificate: Certificate | undefined): StoredKey | undefined => {
  const publicKey = certificate?.spki.toString('base64')
  return keys.find(key => key.status === 'ok' && key.publicKey === publicKey)
}

function assertCertificateRoom(all: Content): void {
  assertRoom(all.certificates, limits.certificatesMax, 'MaximumNumberOfCertificatesReached')
}

/** Throws Duplicate, unless the one that is here will do. */
export function addCertificate(
  all: Content,
  certificate: Certificate,
  {
    alias,
    keyAlias,
    token,
  }: { readonly alias?: string | undefined; readonly keyAlias?: string | undefined; readonly token?: string | undefined },
  reuse = false,
): { readonly id: string; readonly keyId: string; readonly content: Content } {
  const der = certificate.der.toString('base64')
  const present = all.certificates.find(each => each.der === der)
  if (present && reuse) return { id: present.id, keyId: present.keyId, content: all }
  if (present) throw fault('Duplicate', 'the certificate is in the keystore already')
  assertCertificateRoom(all)
  const key = keyOf(all, certificate) ?? {
    id: newId('Key'),
    alias: keyAlias,
    algorithm: describeKey(certificate.publicKey),
    status: 'ok' as const,
    external: true,
    publicKey: certificate.spki.toString('base64'),
  }
  const keys = all.keys.includes(key) ? all.keys : [...all.keys, key]
  // Public halves outlive their certificates, until a client deletes them.
  assertRoom(all.keys, limits.keysMax + limits.certificatesMax, 'MaximumNumberOfCertificatesReached')
  const id = newId('Certificate')
  return { id, keyId: key.id, content: { ...all, keys, certificates: [...all.certificates, { id, keyId: key.id, alias, der, token }] } }
}
