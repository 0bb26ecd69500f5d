import type { DeviceCertificates, NamedCertificate } from '../../device/certificates/deviceCertificates.ts'
import { opening } from '../../device/certificates/faultNames.ts'
import type { Keystore } from '../../device/certificates/keystore.ts'
import type { CertificateInformation as Information } from '../../device/certificates/x509/certificate.ts'
import { readAttributes } from '../../device/certificates/x509/requestAttributes.ts'
import { ownNames } from '../../device/network/ownNames.ts'
import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { instant } from '../../onvif/times.ts'
import type { Certificate, CertificateInformation } from '../../onvif/types.generated.ts'
import type { Network } from '../../platform/platform.ts'
import { notImplemented } from '../notImplemented.ts'
import { dot1x } from './dot1x.ts'

export interface CertificateSubjects {
  readonly keystore: Keystore
  readonly network: Network
  /** Whether there is an HTTPS listener that follows `keystore.tls`. */
  readonly servesTls: boolean
}

/** Withdrawn from Core (Annex D), last described in 16.06. The Security service is the successor, and shows the same keystore. */
export function certificates({ keystore, network, servesTls }: CertificateSubjects): Chapter<'certificates'> {
  const subject = keystore.device.certificates
  return {
    async CreateCertificate({ CertificateID, Subject, ValidNotBefore, ValidNotAfter }, { origin }) {
      const hostNames = await ownNames(network, origin.hostname)
      const made = await subject.create({
        token: CertificateID,
        subject: nameText(Subject ?? hostNames.find(name => name.length <= commonNameCharactersMax) ?? 'onvifd'),
        validFrom: instant(ValidNotBefore),
        validTo: instant(ValidNotAfter),
        hostNames,
      })
      return { NvtCertificate: toWire(made) }
    },

    async GetCertificates() {
      return { NvtCertificate: subject.own().map(toWire) }
    },

    async DeleteCertificates({ CertificateID }) {
      subject.delete(CertificateID)
      return {}
    },

    async GetPkcs10Request({ CertificateID, Subject, Attributes }) {
      const attributes = await opening('InvalidAttribute', async () => (Attributes ? readAttributes(Attributes.Data) : []))
      const der = await subject.request(CertificateID, Subject === undefined ? undefined : nameText(Subject), attributes)
      return { Pkcs10Request: { Data: der } }
    },

    async LoadCertificates({ NVTCertificate }) {
      await subject.load(listOf(NVTCertificate))
      return {}
    },

    async LoadCertificateWithPrivateKey({ CertificateWithPrivateKey: pairs }) {
      await subject.loadWithPrivateKey(
        pairs.map(pair => ({ token: pair.CertificateID, der: pair.Certificate.Data, pkcs8: pair.PrivateKey.Data })),
      )
      return {}
    },

    async GetCertificateInformation({ CertificateID }) {
      return { CertificateInformation: informationToWire(CertificateID, subject.information(CertificateID)) }
    },

    async GetCACertificates() {
      return { CACertificate: subject.authorities().map(toWire) }
    },

    async LoadCACertificates({ CACertificate }) {
      await subject.loadAuthorities(listOf(CACertificate))
      return {}
    },

    ...(servesTls ? tlsServer(subject) : withoutTlsServer),
    ...dot1x(keystore),
  }
}

type TlsServer = Pick<
  Chapter<'certificates'>,
  'GetCertificatesStatus' | 'SetCertificatesStatus' | 'GetClientCertificateMode' | 'SetClientCertificateMode'
>

/** What the HTTPS listener shows and asks for. It follows for the next handshake; the connection of this request is not touched. */
const tlsServer = (subject: DeviceCertificates): TlsServer => ({
  async GetCertificatesStatus() {
    return { CertificateStatus: subject.statuses().map(({ token, enabled }) => ({ CertificateID: token, Status: enabled })) }
  },

  async SetCertificatesStatus({ CertificateStatus = [] }) {
    subject.setStatuses(CertificateStatus.map(({ CertificateID, Status }) => ({ token: CertificateID, enabled: Status })))
    return {}
  },

  async GetClientCertificateMode() {
    return { Enabled: subject.clientMode() }
  },

  async SetClientCertificateMode({ Enabled }) {
    subject.setClientMode(Enabled)
    return {}
  },
})

/** Of a device that has no HTTPS: nothing may be enabled for a server that nobody reaches. */
const withoutTlsServer: TlsServer = {
  GetCertificatesStatus: notImplemented('GetCertificatesStatus'),
  SetCertificatesStatus: notImplemented('SetCertificatesStatus'),
  GetClientCertificateMode: notImplemented('GetClientCertificateMode'),
  SetClientCertificateMode: notImplemented('SetClientCertificateMode'),
}

/** RFC 5280 A.1, ub-common-name. */
const commonNameCharactersMax = 64

/** The WSDL calls a subject the common name, older clients send a whole name: what has no `=` is the former (RFC 4514 2.4). */
const nameText = (subject: string): string => (subject.includes('=') ? subject : `CN=${subject.trim().replace(/[,+"\\<>;#]/g, '\\$&')}`)

/** Each is taken apart, so more than there is ever room for are not even looked at. */
function listOf(list: readonly Certificate[]): readonly NamedCertificate[] {
  if (list.length > limits.certificatesMax) throw fault('MaxCertificates', `there is room for ${limits.certificatesMax} certificates`)
  return list.map(({ CertificateID, Certificate }) => ({ token: CertificateID, der: Buffer.from(Certificate.Data) }))
}

const toWire = ({ token, der }: NamedCertificate): Certificate => ({ CertificateID: token, Certificate: { Data: der } })

function informationToWire(token: string, information: Information): CertificateInformation {
  const { issuer, subject, keyUsage, extendedKeyUsage, keyBits, version, serialNumber, signatureAlgorithm, validFrom, validTo } =
    information
  const usage = (given: typeof keyUsage) => given && { Critical: given.critical, $value: given.value.join(', ') }
  return {
    CertificateID: token,
    IssuerDN: issuer,
    SubjectDN: subject,
    KeyUsage: usage(keyUsage),
    ExtendedKeyUsage: usage(extendedKeyUsage),
    KeyLength: keyBits,
    Version: String(version),
    SerialNum: serialNumber,
    SignatureAlgorithm: signatureAlgorithm,
    Validity: { From: validFrom.toISOString(), Until: validTo.toISOString() },
  }
}
