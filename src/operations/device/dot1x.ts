import type { DeviceDot1X, DeviceDot1XRequest } from '../../device/certificates/deviceDot1x.ts'
import { dot1xMethods } from '../../device/certificates/dot1x.ts'
import type { Keystore } from '../../device/certificates/keystore.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { Dot1XConfiguration } from '../../onvif/types.generated.ts'

type Dot1X = Pick<
  Chapter<'certificates'>,
  'CreateDot1XConfiguration' | 'SetDot1XConfiguration' | 'GetDot1XConfiguration' | 'GetDot1XConfigurations' | 'DeleteDot1XConfiguration'
>

/** Withdrawn from Core like the certificates beside it. */
export function dot1x({ device: { dot1x: subject } }: Keystore): Dot1X {
  return {
    async CreateDot1XConfiguration({ Dot1XConfiguration }) {
      subject.create(fromWire(Dot1XConfiguration))
      return {}
    },

    async SetDot1XConfiguration({ Dot1XConfiguration }) {
      subject.set(fromWire(Dot1XConfiguration))
      return {}
    },

    async GetDot1XConfiguration({ Dot1XConfigurationToken }) {
      return { Dot1XConfiguration: toWire(subject.get(Dot1XConfigurationToken)) }
    },

    async GetDot1XConfigurations() {
      return { Dot1XConfiguration: subject.list().map(toWire) }
    },

    async DeleteDot1XConfiguration({ Dot1XConfigurationToken = [] }) {
      subject.delete(Dot1XConfigurationToken)
      return {}
    },
  }
}

const toWire = ({ token, identity, anonymousId, eapMethod, caCertificateTokens, certificateToken }: DeviceDot1X): Dot1XConfiguration => ({
  Dot1XConfigurationToken: token,
  Identity: identity,
  AnonymousID: anonymousId,
  EAPMethod: eapMethod,
  CACertificateID: caCertificateTokens,
  EAPMethodConfiguration: certificateToken === undefined ? undefined : { TLSConfiguration: { CertificateID: certificateToken } },
})

const fromWire = (configuration: Dot1XConfiguration): DeviceDot1XRequest => ({
  token: configuration.Dot1XConfigurationToken,
  identity: configuration.Identity,
  anonymousId: configuration.AnonymousID,
  eapMethod: configuration.EAPMethod,
  caCertificateTokens: configuration.CACertificateID ?? [],
  certificateToken: configuration.EAPMethodConfiguration?.TLSConfiguration?.CertificateID,
  password: configuration.EAPMethodConfiguration?.Password,
})

/** Numbers of the outer methods in IANA's registry of EAP. */
const registry: Readonly<Record<string, number>> = { 'EAP-MD5': 4, 'EAP-TLS': 13, 'EAP-TTLS': 21, 'EAP-PEAP': 25 }

/** For the capabilities: those that `EAPMethod` may have. */
export const eapMethods: readonly number[] = dot1xMethods
  .flatMap(method => registry[method.split('/')[0] ?? ''] ?? [])
  .toSorted((a, b) => a - b)
