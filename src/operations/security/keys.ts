import type { Key } from '../../device/certificates/keys.ts'
import type { Keystore } from '../../device/certificates/keystore.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { duration } from '../../onvif/times.ts'
import type { KeyAttribute } from '../../onvif/types.generated.ts'

/** Security 5.2.6.1, 5.2.6.2. */
export function keys({ keys: subject, passphrases }: Keystore): Chapter<'keys'> {
  return {
    async 'tas:UploadPassphrase'({ Passphrase, PassphraseAlias }) {
      return { PassphraseID: passphrases.upload(Passphrase, PassphraseAlias) }
    },

    async 'tas:GetAllPassphrases'() {
      return { PassphraseAttribute: passphrases.list().map(({ id, alias }) => ({ PassphraseID: id, Alias: alias })) }
    },

    async 'tas:DeletePassphrase'({ PassphraseID }) {
      passphrases.delete(PassphraseID)
      return {}
    },

    async 'tas:CreateRSAKeyPair'({ KeyLength, Alias }) {
      const { id, estimateMs } = subject.createRsa(KeyLength, Alias)
      return { KeyID: id, EstimatedCreationTime: duration(estimateMs) }
    },

    async 'tas:CreateECCKeyPair'({ EllipticCurve, Alias }) {
      const { id, estimateMs } = subject.createEc(EllipticCurve, Alias)
      return { KeyID: id, EstimatedCreationTime: duration(estimateMs) }
    },

    async 'tas:UploadKeyPairInPKCS8'({ KeyPair, Alias, EncryptionPassphraseID, EncryptionPassphrase }) {
      const upload = { alias: Alias, passphrase: EncryptionPassphrase, passphraseId: EncryptionPassphraseID }
      return { KeyID: await subject.upload(KeyPair, upload) }
    },

    async 'tas:GetKeyStatus'({ KeyID }) {
      return { KeyStatus: subject.get(KeyID).status }
    },

    async 'tas:GetPrivateKeyStatus'({ KeyID }) {
      return { hasPrivateKey: subject.get(KeyID).hasPrivateKey }
    },

    async 'tas:GetAllKeys'() {
      return { KeyAttribute: subject.list().map(toWire) }
    },

    async 'tas:DeleteKey'({ KeyID }) {
      subject.delete(KeyID)
      return {}
    },
  }
}

/** `securelyStored` is about hardware: a sealed file is none. */
const toWire = ({ id, alias, hasPrivateKey, status, external }: Key): KeyAttribute => ({
  KeyID: id,
  Alias: alias,
  hasPrivateKey,
  KeyStatus: status,
  externallyGenerated: external,
  securelyStored: false,
})
