import type { CertificateEntry } from '../../device/certificates/certificates.ts'
import type { Keystore } from '../../device/certificates/keystore.ts'
import type { AttributeOrder, ExtensionOrder } from '../../device/certificates/x509/making.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { instant } from '../../onvif/times.ts'
import type { CSRAttribute, X509Certificate, X509v3Extension } from '../../onvif/types.generated.ts'
import { readSubject } from './distinguishedName.ts'

/** Security 5.2.6.3. */
export function certificatesAndPaths({ certificates, paths }: Keystore): Chapter<'certificatesAndPaths'> {
  return {
    async 'tas:CreatePKCS10CSR'({ Subject, KeyID, CSRAttribute = [], SignatureAlgorithm: { algorithm } }) {
      return { PKCS10CSR: await certificates.request(KeyID, readSubject(Subject), CSRAttribute.map(readAttribute), algorithm) }
    },

    async 'tas:CreateSelfSignedCertificate'(request) {
      const id = await certificates.createSelfSigned({
        keyId: request.KeyID,
        subject: readSubject(request.Subject),
        alias: request.Alias,
        x509Version: request.X509Version,
        validFrom: instant(request.notValidBefore),
        validTo: instant(request.notValidAfter),
        signatureAlgorithm: request.SignatureAlgorithm.algorithm,
        extensions: request.Extension?.map(readExtension),
      })
      return { CertificateID: id }
    },

    async 'tas:UploadCertificate'({ Certificate, Alias, KeyAlias, PrivateKeyRequired = false }) {
      const { id, keyId } = certificates.upload(Certificate, { alias: Alias, keyAlias: KeyAlias, privateKeyRequired: PrivateKeyRequired })
      return { CertificateID: id, KeyID: keyId }
    },

    async 'tas:UploadCertificateWithPrivateKeyInPKCS12'({ CertWithPrivateKey, IgnoreAdditionalCertificates = false, ...rest }) {
      const { pathId, keyId } = await certificates.uploadPkcs12(CertWithPrivateKey, {
        pathAlias: rest.CertificationPathAlias,
        keyAlias: rest.KeyAlias,
        ignoreAdditionalCertificates: IgnoreAdditionalCertificates,
        integrityPassphraseId: rest.IntegrityPassphraseID,
        encryptionPassphraseId: rest.EncryptionPassphraseID,
        passphrase: rest.Passphrase,
      })
      return { CertificationPathID: pathId, KeyID: keyId }
    },

    async 'tas:GetCertificate'({ CertificateID }) {
      return { Certificate: toWire(certificates.get(CertificateID)) }
    },

    async 'tas:GetAllCertificates'() {
      return { Certificate: certificates.list().map(toWire) }
    },

    async 'tas:DeleteCertificate'({ CertificateID }) {
      certificates.delete(CertificateID)
      return {}
    },

    async 'tas:CreateCertificationPath'({ CertificateIDs, Alias }) {
      return { CertificationPathID: paths.create(CertificateIDs.CertificateID, Alias) }
    },

    async 'tas:GetCertificationPath'({ CertificationPathID }) {
      const { alias, certificateIds } = paths.get(CertificationPathID)
      return { CertificationPath: { CertificateID: certificateIds, Alias: alias } }
    },

    async 'tas:GetAllCertificationPaths'() {
      return { CertificationPathID: paths.list().map(({ id }) => id) }
    },

    async 'tas:SetCertificationPath'({ CertificationPathID, CertificationPath: { CertificateID, Alias } }) {
      paths.set(CertificationPathID, CertificateID, Alias)
      return {}
    },

    async 'tas:DeleteCertificationPath'({ CertificationPathID }) {
      paths.delete(CertificationPathID)
      return {}
    },
  }
}

const toWire = ({ id, keyId, alias, der, hasPrivateKey }: CertificateEntry): X509Certificate => ({
  CertificateID: id,
  KeyID: keyId,
  Alias: alias,
  CertificateContent: der,
  HasPrivateKey: hasPrivateKey,
})

const readExtension = ({ extnOID, critical, extnValue }: X509v3Extension): ExtensionOrder => ({ oid: extnOID, critical, value: extnValue })

function readAttribute({ X509v3Extension: extension, BasicRequestAttribute: attribute }: CSRAttribute): AttributeOrder {
  if (extension) return { kind: 'extension', extension: readExtension(extension) }
  if (attribute) return { kind: 'attribute', oid: attribute.OID, value: attribute.value }
  // A request without what the client wanted in it would be signed before anybody sees that.
  throw fault('InvalidAttribute', 'an attribute is an X.509 extension or has an OID')
}
