import { type KeyObject, X509Certificate } from 'node:crypto'
import {
  anyExtendedKeyUsage as anyPurpose,
  BasicConstraints,
  Certificate as CertificateSyntax,
  ExtendedKeyUsage,
  type Extension,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  type KeyUsageType,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509'
import { limits } from '../../../limits.ts'
import { parseDer, toDer } from '../../der.ts'
import { assertStrong, findSignatureAlgorithm, isSignedBy, keyBits, signatureAlgorithmName } from './algorithms.ts'
import { assertSize } from './der.ts'
import { assertHonestAlternatives, assertHonestName, commonNames, nameText } from './names.ts'
import { reading } from './x509Error.ts'

/** A certificate with what this device needs to know of it. Everything is read from the same bytes. */
export interface Certificate {
  readonly der: Buffer
  readonly publicKey: KeyObject
  /** SubjectPublicKeyInfo in DER: the same key gives the same bytes. */
  readonly spki: Buffer
  /** Names and serial number as they are encoded, to be compared. */
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly serialNumber: Buffer
  readonly validFrom: Date
  readonly validTo: Date
  readonly isAuthority: boolean
  readonly pathLengthMax: number
  /** Undefined where the certificate does not say, which allows everything (RFC 5280 4.2.1.3 and 4.2.1.12). */
  readonly keyUsage: readonly KeyUsageType[] | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
  /** Object identifiers of critical extensions that this code does not act on. */
  readonly unknownCritical: readonly string[]
  readonly commonNames: readonly string[]
  /** DNS names and addresses that a client may have connected to. */
  readonly hostNames: readonly string[]
  readonly signed: { readonly bytes: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array }
  readonly information: CertificateInformation
}

/** For people (tt:CertificateInformation). */
export interface CertificateInformation {
  readonly issuer: string
  readonly subject: string
  readonly keyUsage: { readonly critical: boolean; readonly value: readonly string[] } | undefined
  readonly extendedKeyUsage: { readonly critical: boolean; readonly value: readonly string[] } | undefined
  readonly keyBits: number
  /** 1 to 3. */
  readonly version: number
  /** Hexadecimal digits. */
  readonly serialNumber: string
  readonly signatureAlgorithm: string
  readonly validFrom: Date
  readonly validTo: Date
}

const understood: readonly string[] = [id_ce_basicConstraints, id_ce_keyUsage, id_ce_extKeyUsage, id_ce_subjectAltName]
const purposes: Readonly<Record<string, string>> = { [id_kp_serverAuth]: 'serverAuth', [id_kp_clientAuth]: 'clientAuth' }

export const clientAuthentication = id_kp_clientAuth
export const serverAuthentication = id_kp_serverAuth
export const anyExtendedKeyUsage = anyPurpose

/** Throws X509Error: `format`, `publicKey` or `signatureAlgorithm`. */
export function readCertificate(bytes: Uint8Array, allowLegacy: boolean): Certificate {
  assertSize(bytes, limits.certificateBytesMax, 'certificate')
  return reading('certificate', () => {
    const syntax = parseDer(bytes, CertificateSyntax)
    const x509 = new X509Certificate(bytes)
    // Two parsers of the same bytes: where one read something else, or another length, there is an attack.
    if (!x509.raw.equals(bytes)) throw new Error('this is not DER')
    const { tbsCertificate, tbsCertificateRaw, signatureAlgorithm, signatureValue } = syntax
    if (tbsCertificateRaw === undefined) throw new Error('the signed part is missing')
    if (tbsCertificate.signature.algorithm !== signatureAlgorithm.algorithm) throw new Error('two algorithms for one signature')
    const { publicKey } = x509
    assertStrong(publicKey)
    findSignatureAlgorithm(signatureAlgorithm.algorithm, allowLegacy)
    const extensions = extensionsOf(tbsCertificate.extensions ?? [])
    assertHonestName(tbsCertificate.subject)
    assertHonestName(tbsCertificate.issuer)
    const alternatives = extensions.find(id_ce_subjectAltName, SubjectAlternativeName)?.value ?? []
    assertHonestAlternatives([...alternatives])
    const constraints = extensions.find(id_ce_basicConstraints, BasicConstraints)?.value
    const keyUsage = extensions.find(id_ce_keyUsage, KeyUsage)
    const extendedKeyUsage = extensions.find(id_ce_extKeyUsage, ExtendedKeyUsage)
    const serialNumber = Buffer.from(tbsCertificate.serialNumber)
    const certificate: Certificate = {
      der: Buffer.from(bytes),
      publicKey,
      spki: publicKey.export({ type: 'spki', format: 'der' }),
      issuer: toDer(tbsCertificate.issuer),
      subject: toDer(tbsCertificate.subject),
      serialNumber,
      validFrom: dateOf(x509.validFromDate),
      validTo: dateOf(x509.validToDate),
      isAuthority: constraints?.cA ?? false,
      pathLengthMax: constraints?.pathLenConstraint ?? Number.POSITIVE_INFINITY,
      keyUsage: keyUsage?.value.toJSON(),
      extendedKeyUsage: extendedKeyUsage && [...extendedKeyUsage.value],
      unknownCritical: extensions.critical.filter(oid => !understood.includes(oid)),
      commonNames: commonNames(tbsCertificate.subject),
      hostNames: [...alternatives].flatMap(({ dNSName, iPAddress }) => dNSName ?? iPAddress ?? []),
      signed: {
        bytes: new Uint8Array(tbsCertificateRaw),
        algorithm: signatureAlgorithm.algorithm,
        signature: new Uint8Array(signatureValue),
      },
      information: {
        issuer: nameText(tbsCertificate.issuer),
        subject: nameText(tbsCertificate.subject),
        keyUsage: keyUsage && { critical: keyUsage.critical, value: keyUsage.value.toJSON() },
        extendedKeyUsage: extendedKeyUsage && {
          critical: extendedKeyUsage.critical,
          value: [...extendedKeyUsage.value].map(oid => purposes[oid] ?? oid),
        },
        keyBits: keyBits(publicKey),
        version: tbsCertificate.version + 1,
        serialNumber: serialNumber.toString('hex'),
        signatureAlgorithm: signatureAlgorithmName(signatureAlgorithm.algorithm),
        validFrom: dateOf(x509.validFromDate),
        validTo: dateOf(x509.validToDate),
      },
    }
    if (isSelfIssued(certificate) && !isIssuedBy(certificate, certificate, allowLegacy) && !certificate.isAuthority)
      throw new Error('it is issued by itself, and its signature is of somebody else')
    return certificate
  })
}

/** The certificates of a text with PEM blocks, or the one of DER bytes. Throws X509Error. */
export function splitPem(bytes: Uint8Array): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString('latin1')
  const blocks = text.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g)
  if (blocks === null) return [bytes]
  return blocks.map(block => Buffer.from(block.replace(/-----[^-]*-----/g, ''), 'base64'))
}

export const isSelfIssued = ({ issuer, subject }: Certificate): boolean => issuer.equals(subject)

export const isValidAt = ({ validFrom, validTo }: Certificate, now: Date): boolean => validFrom <= now && now <= validTo

/** By name and signature alone: what else an issuer needs is for the validation to say. */
export const isIssuedBy = (certificate: Certificate, issuer: Certificate, allowLegacy: boolean): boolean =>
  issuer.subject.equals(certificate.issuer) &&
  isSignedBy(issuer.publicKey, certificate.signed.algorithm, certificate.signed.bytes, certificate.signed.signature, allowLegacy)

function extensionsOf(list: readonly Extension[]) {
  if (list.length > limits.certificateExtensionsMax) throw new Error('too many extensions')
  if (new Set(list.map(({ extnID }) => extnID)).size !== list.length) throw new Error('an extension stands twice')
  return {
    critical: list.filter(({ critical }) => critical).map(({ extnID }) => extnID),
    find<T>(id: string, type: new () => T): { readonly critical: boolean; readonly value: T } | undefined {
      const extension = list.find(({ extnID }) => extnID === id)
      return extension && { critical: extension.critical, value: parseDer(extension.extnValue.buffer, type) }
    },
  }
}

function dateOf(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new Error('no date')
  return date
}
