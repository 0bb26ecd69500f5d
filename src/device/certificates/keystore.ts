import type { Clock, Log } from '../../platform/platform.ts'
import type { Seal } from '../seal.ts'
import type { Store } from '../store.ts'
import { createCertificates } from './certificates.ts'
import type { References } from './content.ts'
import { createContent } from './contentDocument.ts'
import { createDeviceCertificates } from './deviceCertificates.ts'
import { createDeviceDot1X } from './deviceDot1x.ts'
import { createDot1X } from './dot1x.ts'
import { createKeys, type OnKeyStatus } from './keys.ts'
import { createPassphrases } from './passphrases.ts'
import { createPaths } from './paths.ts'
import { createServerTrust } from './serverTrust.ts'
import { createTlsServer } from './tlsServer.ts'
import { createCrls, createPolicies } from './trust.ts'
import { signingAlgorithms } from './x509/algorithms.ts'

interface Parts {
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  /** `--legacy-crypto`: SHA-1 signatures, 3DES in PKCS #12, TLS before 1.2. */
  readonly allowLegacy?: boolean
  /** Whether HTTPS is enabled (SetNetworkProtocols). */
  readonly isTlsEnabled: () => boolean
  readonly onKeyStatus?: OnKeyStatus
}

export type Keystore = ReturnType<typeof createKeystore>

/**
 * Keys, certificates and what refers to them, for three users: the Security service, the Device service, whose view of the same
 * things is `device`, and the TLS listener. Every change is one write, all of it or nothing; a fault of the specification says why
 * not. What was being made when the power went is corrupt.
 */
export function createKeystore({ store, seal, clock, log, allowLegacy = false, isTlsEnabled, onKeyStatus = () => {} }: Parts) {
  const content = createContent({ store, seal })
  const passphrases = createPassphrases({ content, seal })
  const keys = createKeys({ content, seal, passphrases, log, allowLegacy, onKeyStatus })
  const certificates = createCertificates({ content, keys, passphrases, seal, clock, allowLegacy })
  const { read } = certificates
  const crls = createCrls({ content, read, allowLegacy })
  const tls = createTlsServer({ content, keys, crls, read, clock, allowLegacy, isTlsEnabled })
  return {
    keys,
    certificates,
    paths: createPaths({ content, read, allowLegacy }),
    passphrases,
    crls,
    policies: createPolicies({ content }),
    tls,
    serverTrust: createServerTrust({ content, crls, read, clock, allowLegacy }),
    dot1x: createDot1X({ content }),
    /** The same through the eyes of the Device service. */
    device: {
      certificates: createDeviceCertificates({ content, certificates, seal, clock, allowLegacy, isTlsEnabled }),
      dot1x: createDeviceDot1X({ content, seal, read, allowLegacy }),
    },
    /** The OIDs that the device signs with. */
    signatureAlgorithms: signingAlgorithms(allowLegacy),
    /** For what refers to the keystore from outside, such as a configuration of JWT: what `source` names cannot be deleted. */
    referTo: (source: () => References): void => content.referTo(source),
    /** Before the store is closed. */
    stop: (): void => keys.stop(),
  }
}
